# parsimony_room(<name> [SOURCES <files...>] [USES <rooms...>] [LINKS <private targets...>] [HEADER_ONLY <targets...>]
#   [SUBROOMS <arrows...>] [SPEAKS <prefix>] [EXPORT <set>] [PRECOMPILED <target>])
#
# A room is a library parsimony_<name>, exported as parsimony::<name>, with public headers in
# include/parsimony/<name>, and sources and private headers in src/<name> and its folders. SOURCES are generated
# files beside those. USES is the dependency graph: a file of the room that
# includes a header of a room that is not reached through USES stops the build. LINKS are packages that who links
# the room needs too; HEADER_ONLY are those that are gone once the room is compiled. SPEAKS is the folder of the one
# other library whose headers the room's public ones may include (torch). EXPORT names what a consumer includes to
# get the room, parsimony-targets without it. PRECOMPILED is a target whose precompiled header the room reads; without
# it a room that links fmt reads the one of parsimony_headers. SUBROOMS says for each folder of the room which others it
# may include, as plan:codes,file; "." are the files outside the folders: see check_includes.cmake.
function(parsimony_room name)
  cmake_parse_arguments(ROOM "" "SPEAKS;EXPORT;PRECOMPILED" "SOURCES;USES;LINKS;HEADER_ONLY;SUBROOMS" ${ARGN})
  set(target parsimony_${name})
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/parsimony/${name}/*.hpp)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp ${PROJECT_SOURCE_DIR}/src/${name}/*/*.cpp)

  add_library(${target} ${sources} ${ROOM_SOURCES})
  add_library(parsimony::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${headers})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ROOM_USES PREPEND parsimony_ OUTPUT_VARIABLE used)
  list(APPEND ROOM_HEADER_ONLY parsimony_build_flags)
  list(TRANSFORM ROOM_HEADER_ONLY REPLACE "(.+)" "$<BUILD_INTERFACE:\\1>")
  target_link_libraries(${target} PUBLIC ${used} PRIVATE ${ROOM_LINKS} ${ROOM_HEADER_ONLY})

  if(NOT ROOM_PRECOMPILED AND "fmt::fmt" IN_LIST ROOM_LINKS)
    set(ROOM_PRECOMPILED parsimony_headers)
  endif()
  if(ROOM_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM ${ROOM_PRECOMPILED})
  endif()

  parsimony_check_includes(${name} "${ROOM_USES}" "${ROOM_SPEAKS}" "${ROOM_SUBROOMS}")

  if(NOT ROOM_EXPORT)
    set(ROOM_EXPORT parsimony-targets)
  endif()
  install(TARGETS ${target} EXPORT ${ROOM_EXPORT} FILE_SET HEADERS)
  list(FILTER ROOM_LINKS INCLUDE REGEX "::")
  list(TRANSFORM ROOM_LINKS REPLACE "::.*" "" OUTPUT_VARIABLE packages)
  set_property(GLOBAL APPEND PROPERTY PARSIMONY_PACKAGES_OF_${ROOM_EXPORT} ${packages})
  set_property(GLOBAL APPEND PROPERTY PARSIMONY_ROOMS_OF_${ROOM_EXPORT} ${name})
endfunction()

# parsimony_embed(<room> <name> <files...>): the bytes of files, in this order, as parsimony::<room>::<name>.
function(parsimony_embed room name)
  set(script ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake)
  list(JOIN ARGN "," files)
  add_custom_command(OUTPUT ${name}.cpp DEPENDS ${ARGN} ${script} VERBATIM
    COMMENT "Embedding ${name}"
    COMMAND ${CMAKE_COMMAND} -DFILES=${files} -DNAMESPACE=parsimony::${room} -DNAME=${name} -DOUTPUT=${name}.cpp -P ${script})
  target_sources(parsimony_${room} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
endfunction()

# Stops the build of a room whose files include what they must not: see check_includes.cmake.
function(parsimony_check_includes name uses speaks subrooms)
  set(reached ${name} ${uses})
  foreach(room IN LISTS uses)
    get_property(more GLOBAL PROPERTY PARSIMONY_REACHED_${room})
    list(APPEND reached ${more})
  endforeach()
  list(REMOVE_DUPLICATES reached)
  set_property(GLOBAL PROPERTY PARSIMONY_REACHED_${name} ${reached})

  set(script ${PROJECT_SOURCE_DIR}/cmake/check_includes.cmake)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/parsimony/${name}/*.hpp
    ${PROJECT_SOURCE_DIR}/src/${name}/*.[ch]pp ${PROJECT_SOURCE_DIR}/src/${name}/*/*.[ch]pp)
  string(REPLACE ";" "," allowed "${reached}")
  list(JOIN subrooms "|" subrooms)
  set(stamp ${CMAKE_CURRENT_BINARY_DIR}/${name}.includes)
  add_custom_command(OUTPUT ${stamp} DEPENDS ${script} ${files} VERBATIM
    COMMENT "Checking what the room ${name} includes"
    COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -DROOM=${name} -DALLOWED=${allowed} -DSPEAKS=${speaks}
      -DSUBROOMS=${subrooms} -DSTAMP=${stamp} -P ${script})
  target_sources(parsimony_${name} PRIVATE ${stamp})
endfunction()

# Warnings and sanitizers: for our own targets only, never exported.
add_library(parsimony_build_flags INTERFACE)
target_compile_features(parsimony_build_flags INTERFACE cxx_std_20)
target_compile_options(parsimony_build_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers
  $<$<BOOL:${PARSIMONY_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # A precompiled header with times in it would differ in every checkout, and so would all that a compiler cache keeps.
  target_compile_options(parsimony_build_flags INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
  # CMake's own option names the header by its full path too, in a form that a compiler cache does not understand.
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)
  if(CMAKE_CXX_COMPILER_LAUNCHER)
    list(PREPEND CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_CURRENT_LIST_DIR}/precompile_for_cache.sh)
  endif()
endif()
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # GCC takes each source of such a build for a header, in which a type must not have members of a hidden type.
  target_compile_options(parsimony_build_flags INTERFACE -Wno-subobject-linkage)
endif()
if(PARSIMONY_SANITIZE)
  # The checks left out take up to a quarter of the compiler's time, measured on files that use Eigen. The readers of
  # files have them: see fuzz/CMakeLists.txt.
  # A path from the build folder, in which compilers run, is the same in every checkout, for the compiler cache.
  file(RELATIVE_PATH ignorelist ${CMAKE_BINARY_DIR} ${PROJECT_SOURCE_DIR}/cmake/sanitizer_ignorelist.txt)
  target_compile_options(parsimony_build_flags INTERFACE -fsanitize=${PARSIMONY_SANITIZE}
    -fno-sanitize=null,alignment,vptr,object-size -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:Clang>:-fsanitize-ignorelist=${ignorelist}>)
  target_link_options(parsimony_build_flags INTERFACE -fsanitize=${PARSIMONY_SANITIZE})
  # The kernels of one old and of the newer instruction sets are enough to find a fault of memory or of threads.
  # SVE and RVV are disabled by the kernels that cannot use them; a definition here replaces theirs.
  target_compile_definitions(parsimony_build_flags INTERFACE PARSIMONY_SANITIZED "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4|HWY_AVX3_DL|\
HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128|HWY_RVV)")
endif()

# The headers of the standard library and of fmt that most files read, compiled once for all rooms. nlohmann/json and
# Eigen are not among them: loading them costs every file more than the few that need them save.
file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cpp "")
add_library(parsimony_headers OBJECT EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/precompiled.cpp)
set_target_properties(parsimony_headers PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_link_libraries(parsimony_headers PRIVATE fmt::fmt parsimony_build_flags)
target_precompile_headers(parsimony_headers PRIVATE <algorithm> <array> <atomic> <bit> <chrono> <cmath> <cstdint>
  <cstring> <exception> <filesystem> <fstream> <functional> <limits> <map> <memory> <mutex> <numbers> <numeric>
  <optional> <random> <set> <span> <sstream> <stop_token> <string> <string_view> <thread> <utility> <variant> <vector>
  <fmt/format.h> <fmt/ranges.h>)
