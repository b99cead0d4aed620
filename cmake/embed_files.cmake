# Writes a C++ file with the bytes of files: cmake -DFILES=a,b -DNAMESPACE=x::y -DNAME=kFiles -DOUTPUT=c.cpp -P …
# `const std::array<std::string_view, n> NAME` holds them in that order.
string(REPLACE "," ";" files "${FILES}")
list(LENGTH files count)
set(arrays "")
set(views "")
set(index 0)
foreach(file IN LISTS files)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(....................................................................................................)" "\\1\n" bytes "${bytes}")
  string(APPEND arrays "constexpr unsigned char kBytes${index}[] = {\n${bytes}};\n")
  string(APPEND views "    std::string_view(reinterpret_cast<const char*>(kBytes${index}), sizeof kBytes${index}),\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUTPUT} "// Written by cmake/embed_files.cmake.
#include <array>
#include <string_view>

namespace ${NAMESPACE} {
namespace {
${arrays}}
extern const std::array<std::string_view, ${count}> ${NAME};
const std::array<std::string_view, ${count}> ${NAME} = {
${views}};
}
")
