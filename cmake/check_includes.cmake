# cmake -DROOT=… -DROOM=core -DALLOWED=core,kernels [-DSPEAKS=torch] [-DSTAMP=file] -P check_includes.cmake
#
# Fails, with file and line, when a file of the room includes a header of a room outside ALLOWED, or a public
# header of it includes anything but parsimony's own, the standard library's and those of the folder SPEAKS.
cmake_minimum_required(VERSION 3.25)
string(REPLACE "," ";" allowed "${ALLOWED}")
file(GLOB public_files RELATIVE ${ROOT} ${ROOT}/include/parsimony/${ROOM}/*.hpp)
file(GLOB private_files RELATIVE ${ROOT} ${ROOT}/src/${ROOM}/*.[ch]pp ${ROOT}/src/${ROOM}/*/*.[ch]pp)
file(GLOB rooms RELATIVE ${ROOT}/src ${ROOT}/src/*)

set(faults "")
foreach(file IN LISTS public_files private_files)
  # One list element a line: what a CMake list would trip over is blanked first.
  file(READ ${ROOT}/${file} lines)
  string(REGEX REPLACE "[][;\\]" " " lines "${lines}")
  string(REPLACE "\n" ";" lines "${lines}")
  set(number 0)
  foreach(line IN LISTS lines)
    math(EXPR number "${number} + 1")
    if(NOT line MATCHES "^[ \t]*#[ \t]*include[ \t]*([<\"][^>\"]+)[>\"]")
      continue()
    endif()
    set(name "${CMAKE_MATCH_1}")
    set(room "")
    if(name MATCHES "^[<\"](parsimony/)?([a-z_]+)/")
      set(room ${CMAKE_MATCH_2})
    endif()
    string(REGEX REPLACE "^[<\"]" "" plain "${name}")
    if(plain MATCHES "\\.\\./" OR (room IN_LIST rooms AND NOT room IN_LIST allowed))
      string(APPEND faults "\n  ${file}:${number}: the room ${ROOM} must not include ${plain}; it may use ${ALLOWED}")
    elseif(file IN_LIST public_files AND NOT name MATCHES "^\"parsimony/" AND NOT name MATCHES "^<[a-z_0-9]+$"
        AND NOT (SPEAKS AND name MATCHES "^<${SPEAKS}/"))
      string(APPEND faults "\n  ${file}:${number}: a public header may include only \"parsimony/…\" and the standard library, not ${plain}")
    endif()
  endforeach()
endforeach()

if(faults)
  message(FATAL_ERROR "includes against the dependency direction:${faults}")
endif()
if(STAMP)
  file(TOUCH ${STAMP})
endif()
