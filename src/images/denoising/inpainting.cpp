#include "parsimony/images/inpainting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "images/energy/data_descent.hpp"
#include "images/energy/image_energy.hpp"
#include "images/energy/mirrored.hpp"
#include "images/energy/tiles.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/operators/operator_file.hpp"

namespace parsimony::images {
namespace {

// Fills the gaps: halves the image until every pixel is known, each the mean of the known pixels below it,
// and copies these means into the gaps on the way back.
Matrix<float> filled(const Matrix<float>& image, const Matrix<float>& known) {
  Matrix<float> out = image;
  const bool gaps = std::any_of(known.values().begin(), known.values().end(), [](float k) { return k == 0; });
  if (!gaps) return out;
  Matrix<float> half((image.rows() + 1) / 2, (image.cols() + 1) / 2), half_known(half.rows(), half.cols());
  for (std::int64_t i = 0; i < image.rows(); ++i) {
    for (std::int64_t j = 0; j < image.cols(); ++j) {
      if (known(i, j) == 0) continue;
      half(i / 2, j / 2) += image(i, j);
      half_known(i / 2, j / 2) += 1;
    }
  }
  for (std::int64_t k = 0; k < half.size(); ++k) {
    if (half_known.data()[k] > 0) half.data()[k] /= half_known.data()[k];
  }
  const Matrix<float> coarse = filled(half, half_known);
  for (std::int64_t i = 0; i < image.rows(); ++i) {
    for (std::int64_t j = 0; j < image.cols(); ++j) {
      if (known(i, j) == 0) out(i, j) = coarse(i / 2, j / 2);
    }
  }
  return out;
}

// The scales, each half of the one before, and the last.
std::vector<double> scales_of(const InpaintOptions& options) {
  const double last = std::max(options.sigma, options.last_scale);
  std::vector<double> scales;
  double scale = options.first_scale;
  while (scale > last) {
    scales.push_back(scale);
    scale /= 2;
  }
  scales.push_back(last);
  return scales;
}

Matrix<float> fill_tile(MatrixView<const float> start, MatrixView<const float> y,
                        MatrixView<const float> known, const kernels::FilterBank& bank,
                        const InpaintOptions& options, operators::LbfgsResult& result,
                        const Context& context) {
  Matrix<float> x = mirrored_border(start, bank.side());
  const Matrix<float> data = mirrored_border(y, bank.side()), mask = mirrored_border(known, bank.side());
  PatchAnalysis analysis(bank, x.rows(), x.cols(), Border::none, context);
  const bool exact = options.sigma == 0;
  const auto scales = scales_of(options);
  for (std::size_t k = 0; k < scales.size(); ++k) {
    const double square = scales[k] * scales[k];
    const double weight = (exact ? 1 : kLogWeight / static_cast<double>(bank.filters())) * square;
    const auto nu = static_cast<float>(options.nu / square), factor = static_cast<float>(weight);
    const auto penalty = [&](std::span<const float> at, std::span<float> gradient) {
      return log_energy(analysis, {at.data(), x.rows(), x.cols()}, nu, {gradient.data(), x.rows(), x.cols()});
    };
    // Without noise known pixels do not move: their slopes are 0, and no distance counts.
    const auto distance = [&](std::int64_t i, float value, float& slope) {
      const float here = mask.data()[i];
      const float difference = here != 0 ? value - data.data()[i] : 0.0f;
      slope = exact ? (1 - here) * factor * slope : difference + factor * slope;
      return exact ? 0 : static_cast<double>(difference) * difference;
    };
    // Without noise only the minimum counts. The first step is the inverse of the curvature 2 ν Σ ‖w‖².
    const double first = exact ? 0.5 / (options.nu * static_cast<double>(bank.filters())) : 0.3;
    const Context stage =
        context.part("inpainting", static_cast<std::int64_t>(k), static_cast<std::int64_t>(scales.size()));
    result = descend_from_data(x.values(), weight, penalty, distance,
                               {.memory = 8,
                                .max_iterations = options.max_iterations,
                                .tolerance = 1e-7,
                                .first_step = first,
                                .stage = "inpainting"},
                               stage);
  }
  return without_border(x, bank.side());
}

void check_shapes(MatrixView<const float> image, MatrixView<const float> known) {
  if (image.rows < 1 || image.cols < 1) {
    refuse("image: has no pixels");
  }
  if (known.rows != image.rows || known.cols != image.cols) {
    refuse(fmt::format("mask: {} × {} pixels for an image of {} × {}", known.cols, known.rows, image.cols,
                       image.rows));
  }
}

}  // namespace

InpaintedImage inpaint_channel(MatrixView<const float> image, MatrixView<const float> known,
                               const InpaintOptions& options, const Context& context) {
  validate_fields(options);
  if (options.first_scale < options.last_scale) {
    refuse(fmt::format("first_scale: {} is below option last_scale, {}, where the scales end",
                       options.first_scale, options.last_scale));
  }
  const kernels::FilterBank bank = patch_filters(
      options.analysis_operator.size() > 0 ? options.analysis_operator : operators::shipped_operator());
  check_shapes(image, known);
  Matrix<float> data(image.rows, image.cols), mask(image.rows, image.cols);
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < image.rows; ++i) {
    for (std::int64_t j = 0; j < image.cols; ++j) {
      if (known(i, j) == 0) continue;
      if (!std::isfinite(image(i, j))) {
        refuse(fmt::format("image: row {}, column {} is known and {}; must be finite", i, j, image(i, j)));
      }
      data(i, j) = image(i, j);
      mask(i, j) = 1;
      ++count;
    }
  }
  if (count == 0) refuse("mask: no pixel is known");

  InpaintedImage out;
  out.report = make_report("analysis inpainting, log penalty", context, 0);
  record_options(out.report, options);
  StageTimer timer(out.report, "inpainting");
  const Matrix<float> start = filled(data, mask);
  std::int64_t tiles = 0;
  out.image =
      for_tiles(image.rows, image.cols, options.tile, kTileOverlap, context,
                [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t cols,
                    std::int64_t index, std::int64_t of) {
                  const Context part = context.part("inpainting", index, of);
                  const auto cut_out = [&](const Matrix<float>& from) {
                    return MatrixView<const float>(from.row(row).data() + column, rows, cols, from.cols());
                  };
                  tiles = of;
                  operators::LbfgsResult result;
                  Matrix<float> found =
                      fill_tile(cut_out(start), cut_out(data), cut_out(mask), bank, options, result, part);
                  if (index == 0) {
                    out.report.iterations = result.iterations;
                    out.report.objective_history = std::move(result.history);
                  }
                  return found;
                });
  if (options.sigma == 0) {  // blending tiles rounds known pixels too: restore them
    for (std::int64_t i = 0; i < data.size(); ++i) {
      if (mask.data()[i] != 0) out.image.data()[i] = data.data()[i];
    }
  }
  out.report.figures.emplace_back("known", static_cast<double>(count) / static_cast<double>(data.size()));
  out.report.figures.emplace_back("scales", scales_of(options));
  out.report.figures.emplace_back("tiles", tiles);
  return out;
}

}  // namespace parsimony::images
