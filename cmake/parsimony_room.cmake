# parsimony_room(<name> SOURCES <files...> [USES <rooms...>] [LINKS <private targets...>])
#
# A room is a library parsimony_<name>, exported as parsimony::<name>. It sees its own private headers
# (src/<name>/), the public headers of all rooms, and the private ones of the rooms it names in USES; what it
# does not name in USES it cannot link.
function(parsimony_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;LINKS" ${ARGN})
  set(target parsimony_${name})
  add_library(${target} ${ROOM_SOURCES})
  add_library(parsimony::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  foreach(room IN LISTS ROOM_USES)
    target_link_libraries(${target} PUBLIC parsimony_${room})
  endforeach()
  target_link_libraries(${target} PRIVATE ${ROOM_LINKS} parsimony_build_flags)
  set_property(GLOBAL APPEND PROPERTY PARSIMONY_ROOMS ${name})
endfunction()

# Warnings and sanitizers: for our own targets only, never exported.
add_library(parsimony_build_flags INTERFACE)
target_compile_features(parsimony_build_flags INTERFACE cxx_std_20)
target_compile_options(parsimony_build_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers
  $<$<BOOL:${PARSIMONY_WERROR}>:-Werror>)
if(PARSIMONY_SANITIZE)
  target_compile_options(parsimony_build_flags INTERFACE -fsanitize=${PARSIMONY_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(parsimony_build_flags INTERFACE -fsanitize=${PARSIMONY_SANITIZE})
endif()
