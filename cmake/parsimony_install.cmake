# find_package(parsimony) for others: the rooms with what they link, the version, the licence.
include(CMakePackageConfigHelpers)

get_property(rooms GLOBAL PROPERTY PARSIMONY_ROOMS)
set(packages "")
if(NOT BUILD_SHARED_LIBS)
  get_property(packages GLOBAL PROPERTY PARSIMONY_PACKAGES)
  list(REMOVE_DUPLICATES packages)
endif()

set(destination ${CMAKE_INSTALL_LIBDIR}/cmake/parsimony)
configure_package_config_file(cmake/parsimony-config.cmake.in parsimony-config.cmake INSTALL_DESTINATION ${destination})
write_basic_package_version_file(parsimony-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/parsimony-config.cmake ${PROJECT_BINARY_DIR}/parsimony-config-version.cmake
  DESTINATION ${destination})
install(EXPORT parsimony-targets NAMESPACE parsimony:: DESTINATION ${destination})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
