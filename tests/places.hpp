// Where a test finds what is outside it. The paths are in one generated source, so that no other command line
// of the compiler depends on the folder of the checkout.
#pragma once

#include <filesystem>
#include <string>

namespace parsimony::places {

/// The root of the source tree.
std::filesystem::path source_folder();
/// The environment variable PARSIMONY_DATA, without it ../shared/data beside the source tree. Tests skip
/// files that are not there.
std::filesystem::path data_folder();
/// The built command parsimony.
const std::string& command();
/// The built program of examples/<name>.cpp.
std::string example(const std::string& name);

}  // namespace parsimony::places
