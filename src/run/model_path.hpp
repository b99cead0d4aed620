// Where the files of a model are.
#pragma once

#include <filesystem>

namespace parsimony::run {

/// The file of the weights: the path itself, or model.safetensors or model.safetensors.index.json of a
/// folder. Throws io for a folder without either.
std::filesystem::path weights_path(const std::filesystem::path& model);

/// Whether there is a file or folder. Throws io where that cannot be told.
bool has_file(const std::filesystem::path& path);

/// `folder`, or where it is empty, that of the weights.
std::filesystem::path folder_of(const std::filesystem::path& model, const std::filesystem::path& folder);

}  // namespace parsimony::run
