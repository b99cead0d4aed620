#include "operators/learn_settings.hpp"

#include <fmt/format.h>

#include "parsimony/core/error.hpp"
#include "support/files.hpp"

namespace parsimony::cli {

void check_outputs(const LearnSettings& settings, const std::string& extension,
                   const std::vector<std::filesystem::path>& inputs) {
  const std::filesystem::path output = settings.output, picture = settings.picture;
  check_writable("--output", output, inputs);
  if (output.extension() != extension) {
    refuse(fmt::format("--output: the {} is {}; its name must end in {}",
                       extension == ".npy" ? "operator" : "flow",
                       extension == ".npy" ? "an array" : "an archive of arrays", extension));
  }
  if (picture.empty()) return;
  std::vector<std::filesystem::path> others = inputs;
  others.push_back(output);
  check_writable("--picture", picture, others);
  if (picture.extension() != ".png") refuse("--picture: the picture is a PNG; its name must end in .png");
}

}  // namespace parsimony::cli
