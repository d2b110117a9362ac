# How every target of this tree is compiled, and where its result is put.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CIRRO_MODULE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib/cirro/modules")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What ccache asks for before it caches users of a precompiled header; and what
  # one build folder compiled serves another, whose paths are absolute all the same.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros
                                  CCACHE_NOHASHDIR=1 "${CCACHE_PROGRAM}")
endif()

string(FIND "${CMAKE_CXX_FLAGS}" "-fsanitize=" position)
if(position GREATER_EQUAL 0)
  set(CIRRO_SANITIZED ON)
endif()

# Linked PRIVATE by every target of ours, so that none of it reaches a user.
add_library(cirro_options INTERFACE)
target_compile_options(
  cirro_options
  INTERFACE -Wall
            -Wextra
            -Wconversion
            -Wshadow
            -Wnon-virtual-dtor
            $<$<BOOL:${CIRRO_WERROR}>:-Werror>
            $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
target_compile_definitions(cirro_options
                           INTERFACE CIRRO_VERSION="${PROJECT_VERSION}")
# What is not used is not loaded at start. A name that nobody defines fails the
# link here, not a process later (a sanitizer's own names come with the program).
target_link_options(
  cirro_options INTERFACE -Wl,--as-needed
                          $<$<NOT:$<BOOL:${CIRRO_SANITIZED}>>:-Wl,-z,defs>)
