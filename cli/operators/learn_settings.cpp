#include "operators/learn_settings.hpp"

#include <fmt/format.h>

#include <cmath>

#include "parsimony/core/error.hpp"
#include "parsimony/core/report_picture.hpp"
#include "parsimony/operators/atlas.hpp"
#include "support/files.hpp"
#include "support/run_page.hpp"

namespace parsimony::cli {

bool is_square(std::int64_t values) {
  const auto side = std::llround(std::sqrt(static_cast<double>(values)));
  return side * side == values;
}

void check_outputs(const LearnSettings& settings, const std::string& extension,
                   const std::vector<std::filesystem::path>& inputs) {
  const std::filesystem::path output = settings.output, picture = settings.picture;
  check_writable("--output", output, inputs);
  if (output.extension() != extension) {
    refuse(fmt::format("--output: the {} is {}; its name must end in {}",
                       extension == ".npy" ? "operator" : "flow",
                       extension == ".npy" ? "an array" : "an archive of arrays", extension));
  }
  std::vector<std::filesystem::path> others = inputs;
  others.insert(others.end(), {output, picture});
  check_page(settings.run.page, others);
  if (picture.empty()) return;
  others.pop_back();
  check_writable("--picture", picture, others);
  if (picture.extension() != ".png") refuse("--picture: the picture is a PNG; its name must end in .png");
}

Image drawn_rows(const LearnSettings& settings, const Matrix<double>& analysis_operator) {
  const bool wanted =
      !settings.picture.empty() || (!settings.run.page.empty() && is_square(analysis_operator.cols()));
  return wanted ? operators::atlas(analysis_operator) : Image{};
}

std::vector<ReportPicture> on_page(const Image& drawn) {
  if (drawn.channels.empty()) return {};
  return {report_picture("the rows as filters, smooth ones first", drawn)};
}

}  // namespace parsimony::cli
