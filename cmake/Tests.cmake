# cirro_test, cirro_fuzzer, cirro_must_not_compile: what tests/ is made of.

# Test programs stay out of build/bin, which holds what users run.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests/bin")

find_program(CIRRO_PYTHON python3 REQUIRED)
option(CIRRO_LIBFUZZER "Fuzzers search by themselves (clang only)" OFF)
set(CIRRO_SPEC_DATA "${PROJECT_SOURCE_DIR}/../shared" CACHE PATH
    "Official test data, CloudEvents' in conformance/; tests that need it skip without it")

# What every test sees beside the library it tests.
add_library(cirro_test_support INTERFACE)
# "support/x.h" of tests/, and a part's private "cloudevents/src/x.h".
target_include_directories(
  cirro_test_support INTERFACE "${PROJECT_SOURCE_DIR}/tests" "${PROJECT_SOURCE_DIR}")
target_compile_definitions(
  cirro_test_support
  INTERFACE CIRRO_SPEC_DATA="${CIRRO_SPEC_DATA}"
            CIRRO_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
            CIRRO_BINARY_DIR="${PROJECT_BINARY_DIR}")
target_link_libraries(cirro_test_support INTERFACE cirro_options Threads::Threads)
# Also for what loads librdkafka by name at run time.
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
  add_library(cirro_c11_threads OBJECT "${PROJECT_SOURCE_DIR}/tests/support/c11_threads.cc")
  target_sources(cirro_test_support INTERFACE $<TARGET_OBJECTS:cirro_c11_threads>)
  target_link_options(cirro_test_support INTERFACE "-Wl,--export-dynamic-symbol=thrd_*"
                      "-Wl,--export-dynamic-symbol=mtx_*"
                      "-Wl,--export-dynamic-symbol=cnd_*")
endif()
# Tests are compiled once and run once: the optimiser would only cost time.
target_compile_options(cirro_test_support
                       INTERFACE $<$<CONFIG:RelWithDebInfo>:-O0>)

# googletest's headers are most of what a test compiles: 3.1 s of which 0.9 s are
# left with them precompiled (g++ 12). Tests alone; Cirro's headers are not in it.
# A program, because its flags (-fPIE) must be the tests' own.
file(WRITE "${PROJECT_BINARY_DIR}/tests/precompiled.cc" "")
add_executable(cirro_test_precompiled "${PROJECT_BINARY_DIR}/tests/precompiled.cc")
target_link_libraries(cirro_test_precompiled PRIVATE cirro_test_support GTest::gmock_main)
target_precompile_headers(cirro_test_precompiled PRIVATE <gmock/gmock.h> <gtest/gtest.h>)

foreach(label IN ITEMS unit fuzz contract loopback broker conformance)
  add_custom_target(tests_${label})
endforeach()
# Loaded by name at run time, where no link tells that they are needed.
get_property(modules GLOBAL PROPERTY CIRRO_MODULES)
if(modules)
  foreach(label IN ITEMS loopback contract broker)
    add_dependencies(tests_${label} ${modules})
  endforeach()
endif()

# cirro_test(<label>/<path>_test [LINK ..] [SOURCES ..] [NEEDS ..]
#            [TIMEOUT seconds])
# tests/<label>/<path>_test.cc, with more SOURCES (relative to the caller), as the
# program and test <label>.<path>_test. Unit tests link parts (cirro::cloudevents
# ...: each one to the left), loopback tests link cirro::cirro; never both. NEEDS
# names the targets (programs, modules) that it runs or loads. The target
# tests_<label> builds all tests of a label. Tests of the labels broker and
# contract share the servers and run one at a time, beside others.
function(cirro_test path)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LINK;SOURCES;NEEDS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "cirro_test(${path}): what is ${arg_UNPARSED_ARGUMENTS}?")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 400)
  endif()
  string(REPLACE "/" "." name "${path}")
  string(REGEX MATCH "^[^/]+" label "${path}")
  add_executable(${name} "${PROJECT_SOURCE_DIR}/tests/${path}.cc" ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE cirro_test_support ${arg_LINK}
                                        GTest::gmock_main)
  target_precompile_headers(${name} REUSE_FROM cirro_test_precompiled)
  add_dependencies(tests_${label} ${name})
  if(arg_NEEDS)
    add_dependencies(${name} ${arg_NEEDS})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  # What was freed holds no values that would do: glibc fills it.
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${arg_TIMEOUT}
                                          ENVIRONMENT MALLOC_PERTURB_=165)
  if(label MATCHES "^(broker|contract)$")
    # Who has no server to ask is not one that passed.
    set_tests_properties(
      ${name}
      PROPERTIES
        RESOURCE_LOCK brokers
        SKIP_REGULAR_EXPRESSION
        "no nats-server: apt install;CIRRO_TEST_KAFKA_URL names no broker;CIRRO_TEST_KAFKA_HOME holds no Kafka"
    )
  endif()
endfunction()

# cirro_fuzzer(<name> [SOURCES <name>_fuzzer.cc ..] LINK ..)
# A libFuzzer program in the fuzz preset. Elsewhere a main of our own, because
# g++ has no libFuzzer. Both run each file of tests/fuzz/corpus/<name> as a test.
function(cirro_fuzzer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  if(NOT arg_SOURCES)
    set(arg_SOURCES ${name}_fuzzer.cc)
  endif()
  set(target fuzz.${name})
  set(corpus "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}")
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE cirro_test_support ${arg_LINK})
  if(CIRRO_LIBFUZZER)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    add_test(NAME ${target} COMMAND ${target} -runs=0 "${corpus}")
  else()
    target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus_main.cc")
    add_test(NAME ${target} COMMAND ${target} "${corpus}")
  endif()
  set_tests_properties(${target} PROPERTIES LABELS "unit;fuzz" TIMEOUT 400)
  add_dependencies(tests_unit ${target})
  add_dependencies(tests_fuzz ${target})
endfunction()

# cirro_must_not_compile(<name> "<regular expression>")
# tests/compile_fail/<name>.cc compiles as it stands; with CIRRO_MUST_NOT_COMPILE
# defined it does not, and the compiler's output has our own message in it: any
# other failure (a missing header, say) does not pass. Compiled when a header that
# it includes changed; the tests look at what was said.
function(cirro_must_not_compile name message)
  set(source "${PROJECT_SOURCE_DIR}/tests/compile_fail/${name}.cc")
  set(output "${CMAKE_CURRENT_BINARY_DIR}/${name}")
  set(includes $<TARGET_PROPERTY:cirro,INTERFACE_INCLUDE_DIRECTORIES>)
  set(compile ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Werror
              "-I$<JOIN:${includes},$<SEMICOLON>-I>")
  set(script "${PROJECT_SOURCE_DIR}/cmake/MustNotCompile.cmake")
  add_custom_command(
    OUTPUT "${output}.stamp"
    BYPRODUCTS "${output}.compiles" "${output}.must_not_compile"
    COMMAND ${CMAKE_COMMAND} -D "compile=${compile}" -D "source=${source}" -D
            "output=${output}" -P "${script}"
    DEPENDS "${source}" "${script}"
    DEPFILE "${output}.d"
    COMMENT "Compiling what must not: ${name}"
    VERBATIM)
  add_custom_target(compile.${name} ALL DEPENDS "${output}.stamp")
  foreach(half IN ITEMS compiles must_not_compile)
    add_test(NAME compile.${name}.${half} COMMAND ${CMAKE_COMMAND} -E cat
                                                  "${output}.${half}")
    set_tests_properties(compile.${name}.${half} PROPERTIES LABELS compile)
  endforeach()
  set_tests_properties(compile.${name}.compiles PROPERTIES PASS_REGULAR_EXPRESSION
                                                           "exit status: 0")
  set_tests_properties(
    compile.${name}.must_not_compile
    PROPERTIES PASS_REGULAR_EXPRESSION "${message}" FAIL_REGULAR_EXPRESSION
                                                    "exit status: 0")
endfunction()
