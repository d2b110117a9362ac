# Compiles `source` as it stands and with CIRRO_MUST_NOT_COMPILE, and writes what
# the compiler said to `output`.compiles and `output`.must_not_compile. The stamp,
# and with it the right not to be run again, is there only if the first compiled.
#
# cmake -D compile=<command> -D source=<file> -D output=<path> -P MustNotCompile.cmake

function(compile_half half status)
  execute_process(
    COMMAND ${compile} ${ARGN} "${source}"
    RESULT_VARIABLE result
    OUTPUT_VARIABLE said
    ERROR_VARIABLE said)
  file(WRITE "${output}.${half}" "${said}\nexit status: ${result}\n")
  set(${status} ${result} PARENT_SCOPE)
endfunction()

compile_half(compiles result -MD -MF "${output}.d" -MT "${output}.stamp")
compile_half(must_not_compile ignored -DCIRRO_MUST_NOT_COMPILE)
if(result EQUAL 0)
  file(TOUCH "${output}.stamp")
endif()
