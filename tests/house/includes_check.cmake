# cmake -DSCRIPT=check_includes.cmake -DWORK=… -P includes_check.cmake: the check finds each kind of wrong include,
# at its line, and accepts right ones.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/src/core ${WORK}/src/graph ${WORK}/src/kernels ${WORK}/include/parsimony/core)

function(expect file content verdict)
  file(WRITE ${WORK}/${file} "${content}")
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${WORK} -DROOM=core -DALLOWED=core,kernels -P ${SCRIPT}
    RESULT_VARIABLE status ERROR_VARIABLE message)
  file(REMOVE ${WORK}/${file})
  if(verdict STREQUAL "right")
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "refused what is right:\n${content}\n${message}")
    endif()
  elseif(status EQUAL 0 OR NOT message MATCHES "${file}:${verdict}:")
    message(FATAL_ERROR "did not name ${file}:${verdict} in:\n${content}\n${message}")
  endif()
endfunction()

expect(src/core/a.cpp "#include <fmt/format.h>\n#include \"kernels/dot.hpp\"\n#include \"parsimony/core/csr.hpp\"\n" right)
expect(src/core/a.cpp "int a[]{1;};\n#include \"parsimony/graph/graph.hpp\"\n" 2)
expect(src/core/a.cpp "#define A \\\n  1\n\n  #  include \"graph/reader.hpp\"\n" 4)
expect(src/core/a.cpp "#include \"../graph/reader.hpp\"\n" 1)
expect(include/parsimony/core/a.hpp "#include <vector>\n#include <stop_token>\n" right)
expect(include/parsimony/core/a.hpp "#include <vector>\n#include <fmt/format.h>\n" 2)
expect(include/parsimony/core/a.hpp "#include <zlib.h>\n" 1)
expect(include/parsimony/core/a.hpp "#include \"kernels/dot.hpp\"\n" 1)
