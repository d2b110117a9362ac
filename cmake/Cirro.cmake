# cirro_library, cirro_module: the two shapes that code of this tree is built in.

# The one shared core. Folders are object libraries inside it, so that a wrong
# include between folders does not compile and no archive of ours exists.
add_library(cirro SHARED)
add_library(cirro::cirro ALIAS cirro)
add_library(Cirro::cirro ALIAS cirro)
set_target_properties(
  cirro
  PROPERTIES VERSION ${PROJECT_VERSION}
             SOVERSION ${PROJECT_VERSION_MAJOR}
             LINKER_LANGUAGE CXX
             # Verified once, in the folder that owns the header.
             VERIFY_INTERFACE_HEADER_SETS OFF)
target_compile_features(cirro INTERFACE cxx_std_20)
# Part of a module's ABI tag, also of one that is built outside this tree.
target_compile_definitions(cirro INTERFACE CIRRO_VERSION="${PROJECT_VERSION}")
target_link_libraries(cirro PRIVATE $<BUILD_INTERFACE:cirro_options>)
# libcirro finds what it exports itself without looking it up at each start. Types
# are told apart by their names, and it exports no variable that a program could
# have a copy of.
set(map "${CMAKE_CURRENT_LIST_DIR}/libcirro.map")
target_link_options(cirro PRIVATE "-Wl,--version-script=${map}" -Wl,--exclude-libs,ALL
                    -Wl,-Bsymbolic)
# Its tables are full of addresses; written short, they are 80 KiB less to read at
# each start.
include(CheckLinkerFlag)
check_linker_flag(CXX -Wl,-z,pack-relative-relocs CIRRO_PACKS_RELOCATIONS)
if(CIRRO_PACKS_RELOCATIONS)
  target_link_options(cirro PRIVATE -Wl,-z,pack-relative-relocs)
endif()
set_target_properties(cirro PROPERTIES LINK_DEPENDS "${map}")

# cirro_library(<name> [MODULE_PART] [SOURCES ..] [HEADERS ..] [LINK cirro::x ..]
#               [PRIVATE_LINK ..])
# One part of libcirro, or with MODULE_PART of the modules that name it in PARTS: target cirro_<name>, alias cirro::<name>. Public headers
# lie in include/ and are verified to compile alone; private ones beside the
# sources. It sees the public headers of what LINK names, and no others. Objects
# are not transitive: what links parts directly (unit tests) lists each of them.
function(cirro_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "MODULE_PART" ""
                        "SOURCES;HEADERS;LINK;PRIVATE_LINK")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "cirro_library(${name}): what is ${arg_UNPARSED_ARGUMENTS}?")
  endif()
  set(target cirro_${name})
  # CMake's header verification takes the directory's flags, not the options'.
  add_compile_options($<TARGET_PROPERTY:cirro_options,INTERFACE_COMPILE_OPTIONS>)
  if(arg_SOURCES)
    add_library(${target} OBJECT ${arg_SOURCES})
    target_include_directories(${target} PRIVATE src)
    target_link_libraries(${target} PUBLIC ${arg_LINK} PRIVATE cirro_options
                                                               ${arg_PRIVATE_LINK})
    if(NOT arg_MODULE_PART)
      target_link_libraries(cirro PRIVATE $<BUILD_INTERFACE:${target}>)
    endif()
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${arg_LINK})
    set(scope INTERFACE)
  endif()
  add_library(cirro::${name} ALIAS ${target})
  if(arg_HEADERS)
    target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS include
                                                FILES ${arg_HEADERS})
    list(TRANSFORM arg_HEADERS PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
    target_sources(
      cirro PUBLIC FILE_SET HEADERS BASE_DIRS "${CMAKE_CURRENT_SOURCE_DIR}/include"
                   FILES ${arg_HEADERS})
  endif()
endfunction()

# cirro_module(<name> SOURCES .. [PARTS cirro::x ..] [PRIVATE_LINK ..])
# A library that libcirro loads on its first configured use, so that a process
# which does not use it does not pay for what it links. The file is
# <libdir>/cirro/modules/<name>.so; its one exported symbol cirro_module_<name>
# (CIRRO_MODULE in cirro/module/module.h). Named in CIRRO_STATIC_BINDINGS it is
# part of libcirro instead, which then exports that symbol.
function(cirro_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;PARTS;PRIVATE_LINK")
  if(NOT name MATCHES "^[a-z0-9_]+$")
    message(FATAL_ERROR "cirro_module(${name}): a name is [a-z0-9_]+")
  endif()
  set(target cirro_module_${name})
  set(includes $<TARGET_PROPERTY:cirro,INTERFACE_INCLUDE_DIRECTORIES>)
  if(name IN_LIST CIRRO_STATIC_BINDINGS)
    add_library(${target} OBJECT ${arg_SOURCES})
    target_include_directories(${target} PRIVATE ${includes})
    # Objects are not transitive: what they need is named again.
    foreach(part IN LISTS arg_PARTS)
      target_include_directories(
        ${target} PRIVATE $<TARGET_PROPERTY:${part},INTERFACE_INCLUDE_DIRECTORIES>)
    endforeach()
    foreach(part IN LISTS target arg_PARTS arg_PRIVATE_LINK)
      target_link_libraries(cirro PRIVATE $<BUILD_INTERFACE:${part}>)
    endforeach()
  else()
    add_library(${target} MODULE ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE cirro ${arg_PARTS})
    set(map "${PROJECT_SOURCE_DIR}/cmake/module.map")
    target_link_options(${target} PRIVATE "-Wl,--version-script=${map}")
    set_target_properties(
      ${target}
      PROPERTIES PREFIX ""
                 LINK_DEPENDS "${map}"
                 OUTPUT_NAME ${name}
                 LIBRARY_OUTPUT_DIRECTORY "${CIRRO_MODULE_OUTPUT_DIRECTORY}"
                 INSTALL_RPATH "$ORIGIN/../..")
    install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/cirro/modules)
  endif()
  target_include_directories(${target} PRIVATE src)
  target_link_libraries(${target} PRIVATE cirro_options ${arg_PRIVATE_LINK})
  set_property(GLOBAL APPEND PROPERTY CIRRO_MODULES ${target})
endfunction()
