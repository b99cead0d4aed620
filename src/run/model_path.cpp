#include "run/model_path.hpp"

#include <fmt/format.h>

#include "parsimony/core/error.hpp"

namespace parsimony::run {

std::filesystem::path weights_path(const std::filesystem::path& model) {
  if (!std::filesystem::is_directory(model)) return model;
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"}) {
    if (std::filesystem::exists(model / name)) return model / name;
  }
  throw Error(ErrorCode::io,
              fmt::format("{}: has no model.safetensors; name the file of the weights", model.string()));
}

std::filesystem::path folder_of(const std::filesystem::path& model, const std::filesystem::path& folder) {
  if (!folder.empty()) return folder;
  const std::filesystem::path beside = weights_path(model).parent_path();
  return beside.empty() ? "." : beside;
}

}  // namespace parsimony::run
