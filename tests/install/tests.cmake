# The consumer in this folder, against an install tree of this build. (A sanitized library needs a sanitized consumer.)
if(NOT PARSIMONY_SANITIZE)
  add_test(NAME install.consumer COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR} -DCONFIG=$<CONFIG>
    -DGENERATOR=${CMAKE_GENERATOR} -DCOMPILER=${CMAKE_CXX_COMPILER} -P ${CMAKE_CURRENT_LIST_DIR}/check.cmake)
  set_tests_properties(install.consumer PROPERTIES LABELS install TIMEOUT 600)
endif()
