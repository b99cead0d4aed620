# The consumer in this folder, against an install tree of this build: by find_package, then by pkg-config. A sanitized
# library would need a sanitized consumer.
if(NOT PARSIMONY_SANITIZE)
  add_test(NAME install.consumer COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR} -DCONFIG=$<CONFIG>
    -DGENERATOR=${CMAKE_GENERATOR} -DCOMPILER=${CMAKE_CXX_COMPILER} -P ${CMAKE_CURRENT_LIST_DIR}/check.cmake)
  add_test(NAME install.pkg_config COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR}
    -DCOMPILER=${CMAKE_CXX_COMPILER} -P ${CMAKE_CURRENT_LIST_DIR}/pkg_config.cmake)
  set_tests_properties(install.consumer PROPERTIES LABELS install TIMEOUT 600 FIXTURES_SETUP install_tree)
  set_tests_properties(install.pkg_config PROPERTIES LABELS install TIMEOUT 600 FIXTURES_REQUIRED install_tree
    SKIP_REGULAR_EXPRESSION "skipped: there is no pkg-config")
endif()
