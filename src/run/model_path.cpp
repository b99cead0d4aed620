#include "run/model_path.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "parsimony/core/file_error.hpp"

namespace parsimony::run {

bool has_file(const std::filesystem::path& path) {
  std::error_code error;
  const bool found = std::filesystem::exists(path, error);
  if (!error) return found;
  throw FileError(error.value(), fmt::format("{}: cannot be read: {}", path.string(), error.message()));
}

std::filesystem::path weights_path(const std::filesystem::path& model) {
  std::error_code unknown;  // an unreadable path is a file, whose reader says why
  if (!std::filesystem::is_directory(model, unknown)) return model;
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"}) {
    if (has_file(model / name)) return model / name;
  }
  throw FileError(ENOENT,
                  fmt::format("{}: has no model.safetensors; name the file of the weights", model.string()));
}

std::filesystem::path folder_of(const std::filesystem::path& model, const std::filesystem::path& folder) {
  if (!folder.empty()) return folder;
  const std::filesystem::path beside = weights_path(model).parent_path();
  return beside.empty() ? "." : beside;
}

}  // namespace parsimony::run
