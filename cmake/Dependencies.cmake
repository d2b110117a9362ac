# Every library from outside, as a target. A missing one is an error that names
# the Debian package: nothing is downloaded, nothing is switched off silently.

# cirro_find(<package> <Debian package> [find_package arguments...])
macro(cirro_find package debian)
  find_package(${package} ${ARGN} QUIET)
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "${package} is missing: ./dev setup, or apt install ${debian}")
  endif()
endmacro()

# cirro_find_header(<variable> <header> <Debian package>)
function(cirro_find_header variable header debian)
  find_path(${variable} ${header} ${ARGN})
  if(NOT ${variable})
    message(FATAL_ERROR "${header} is missing: ./dev setup, or apt install ${debian}")
  endif()
endfunction()

# cirro_headers_target(<target> <directory>): a header-only library.
function(cirro_headers_target target directory)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} SYSTEM INTERFACE "${directory}")
endfunction()

set(THREADS_PREFER_PTHREAD_FLAG ON)
cirro_find(Threads libc6-dev)
cirro_find(Boost "libboost-dev (libboost1.81-dev on Debian 12)" 1.81 CONFIG)
cirro_find(nlohmann_json nlohmann-json3-dev CONFIG)
cirro_find(CLI11 libcli11-dev CONFIG)
cirro_find(CURL libcurl4-openssl-dev)

# The shared libpistache drags in libssl; the archive's reactor does not.
cirro_find_header(PISTACHE_INCLUDE_DIR pistache/reactor.h libpistache-dev)
find_library(PISTACHE_ARCHIVE libpistache.a)
if(NOT PISTACHE_ARCHIVE)
  message(FATAL_ERROR "libpistache.a is missing: ./dev setup, or apt install libpistache-dev")
endif()
add_library(Pistache::reactor STATIC IMPORTED GLOBAL)
set_target_properties(
  Pistache::reactor
  PROPERTIES IMPORTED_LOCATION "${PISTACHE_ARCHIVE}"
             INTERFACE_INCLUDE_DIRECTORIES "${PISTACHE_INCLUDE_DIR}"
             INTERFACE_LINK_LIBRARIES Threads::Threads)

# toml++'s own target links its shared library, which would be loaded at each
# start, also where no file is read.
cirro_find_header(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h libtomlplusplus-dev)
cirro_headers_target(tomlplusplus::headers "${TOMLPLUSPLUS_INCLUDE_DIR}")

# libvalijson-dev depends on some 175 development packages that its headers do
# not need here, so `./dev setup` unpacks it below build/deps instead.
cirro_find_header(
  VALIJSON_INCLUDE_DIR valijson/validator.hpp libvalijson-dev HINTS
  "${PROJECT_SOURCE_DIR}/build/deps/valijson/usr/include")
cirro_headers_target(valijson::valijson "${VALIJSON_INCLUDE_DIR}")

# cirro_find_client(<BINDING> <target> <header> <library> <Debian package>)
# What a binding stands on, unless CIRRO_WITH_<BINDING> is OFF.
function(cirro_find_client binding target header library debian)
  if(NOT CIRRO_WITH_${binding})
    return()
  endif()
  set(debian "${debian} (or configure with -DCIRRO_WITH_${binding}=OFF)")
  cirro_find_header(${binding}_INCLUDE_DIR ${header} "${debian}")
  find_library(${binding}_LIBRARY ${library})
  if(NOT ${binding}_LIBRARY)
    message(FATAL_ERROR "lib${library}.so is missing: ./dev setup, or apt install ${debian}")
  endif()
  add_library(${target} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(
    ${target} PROPERTIES IMPORTED_LOCATION "${${binding}_LIBRARY}"
                         INTERFACE_INCLUDE_DIRECTORIES "${${binding}_INCLUDE_DIR}")
endfunction()
cirro_find_client(KAFKA RdKafka::rdkafka librdkafka/rdkafka.h rdkafka librdkafka-dev)
cirro_find_client(NATS Nats::nats nats/nats.h nats libnats-dev)
cirro_find_client(SQLITE SQLite::SQLite3 sqlite3.h sqlite3 libsqlite3-dev)

if(CIRRO_BUILD_TESTS)
  cirro_find(GTest "libgtest-dev libgmock-dev" CONFIG)
endif()
