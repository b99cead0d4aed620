# cmake -DBUILD=… -DCOMPILER=… -P pkg_config.cmake: builds the consumer by parsimony.pc of the install tree that
# check.cmake has made and moved, and runs it.
cmake_minimum_required(VERSION 3.25)
find_program(PKG_CONFIG NAMES pkgconf pkg-config)
if(NOT PKG_CONFIG)
  message("skipped: there is no pkg-config")
  return()
endif()
set(work ${BUILD}/install-test)
file(GLOB_RECURSE description ${work}/moved/*/parsimony.pc)
get_filename_component(folder ${description} DIRECTORY)
get_filename_component(libraries ${folder} DIRECTORY)

set(ENV{PKG_CONFIG_PATH} "${folder}:$ENV{PKG_CONFIG_PATH}")
execute_process(COMMAND ${PKG_CONFIG} --cflags --libs parsimony RESULT_VARIABLE status OUTPUT_VARIABLE flags
  ERROR_VARIABLE message OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PKG_CONFIG} does not accept ${description}:\n${message}")
endif()
separate_arguments(flags UNIX_COMMAND "${flags}")
execute_process(COMMAND ${COMPILER} -std=c++20 ${CMAKE_CURRENT_LIST_DIR}/main.cpp -o ${work}/by-pkg-config ${flags}
  -Wl,-rpath,${libraries} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${work}/by-pkg-config COMMAND_ERROR_IS_FATAL ANY)
