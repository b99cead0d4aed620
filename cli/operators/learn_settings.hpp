// The settings of operator learn.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "parsimony/core/image.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/images/flow_training.hpp"
#include "parsimony/operators/learn.hpp"
#include "support/run_flags.hpp"
#include "support/run_page.hpp"

namespace parsimony::cli {

struct LearnSettings {
  std::vector<std::string> paths;  ///< signals or images
  operators::LearnOptions options;
  bool unrolled = false;
  images::FlowTrainingOptions flow;  ///< where unrolled
  std::string output;
  std::string picture;  ///< picture of the rows to write; empty: none
  RunSettings run;
};

/// Whether so many values are a square patch.
bool is_square(std::int64_t values);

/// Refuses outputs that cannot be written, would overwrite an input or each other, or end otherwise than in
/// `extension` or .png.
void check_outputs(const LearnSettings& settings, const std::string& extension,
                   const std::vector<std::filesystem::path>& inputs);

/// The rows of the operator as a picture, if --picture or --report shows one; else no channels. Rows that are
/// not square patches have none.
Image drawn_rows(const LearnSettings& settings, const Matrix<double>& analysis_operator);

/// The picture as it stands on the page; nothing for no channels.
std::vector<ReportPicture> on_page(const Image& drawn);

}  // namespace parsimony::cli
