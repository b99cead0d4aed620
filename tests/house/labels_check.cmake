# cmake -DBUILD=… -DCTEST=… -P labels_check.cmake: ctest knows the labels and the time limits of the tests. By them the
# presets leave tests out and dev picks those of a room.
cmake_minimum_required(VERSION 3.25)

function(listed result)
  execute_process(COMMAND ${CTEST} --show-only=json-v1 ${ARGN} WORKING_DIRECTORY ${BUILD}
    OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

function(expect_label label regex)
  listed(all --tests-regex ${regex})
  listed(labelled --tests-regex ${regex} --label-regex ^${label}$)
  if(NOT all MATCHES "\"LABELS\"" OR NOT all STREQUAL labelled)
    message(FATAL_ERROR "not all tests of ${regex} have the label ${label}, or there are none:\n${all}")
  endif()
  if(NOT all MATCHES "\"TIMEOUT\",[ \n]*\"value\" : 600[.0]*[ \n]")
    message(FATAL_ERROR "the tests of ${regex} have no time limit of 600 seconds:\n${all}")
  endif()
endfunction()

expect_label(slow [.]ProductRate[.])
expect_label(unit [.]ProductRate[.])
# Names of tests with brackets or semicolons must not cost the other tests of a room their labels.
foreach(room IN ITEMS core graph quant)
  expect_label(room:${room} ^${room}[.])
endforeach()
