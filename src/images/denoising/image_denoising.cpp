#include "parsimony/images/image_denoising.hpp"

#include <algorithm>

#include "images/denoising/check_estimate.hpp"
#include "images/denoising/l1_denoising.hpp"
#include "images/energy/check_image.hpp"
#include "images/energy/data_descent.hpp"
#include "images/energy/image_energy.hpp"
#include "images/energy/mirrored.hpp"
#include "images/energy/tiles.hpp"
#include "parsimony/images/noise_level.hpp"

namespace parsimony::images {
namespace {

constexpr double kL1Weight = 1.2;  // divided by the number of rows

// The options with their auto values replaced.
ImageDenoisingOptions resolve(const ImageDenoisingOptions& options, MatrixView<const float> image,
                              std::int64_t rows, const Context& context) {
  ImageDenoisingOptions out = options;
  const bool log = options.penalty == ImagePenalty::log;
  if (out.sigma == 0) {
    out.sigma = estimate_sigma(image, context);
    check_estimate(out.sigma);
  }
  if (out.weight == 0) out.weight = (log ? kLogWeight : kL1Weight) / static_cast<double>(rows);
  if (out.max_iterations == 0) out.max_iterations = log ? 20 : 80;
  if (out.tile == 0) out.tile = log ? 512 : 256;
  return out;
}

Matrix<float> log_denoise(const Matrix<float>& y, const kernels::FilterBank& bank,
                          const ImageDenoisingOptions& options, operators::LbfgsResult& result,
                          const Context& context) {
  PatchAnalysis analysis(bank, y.rows(), y.cols(), Border::none, context);
  Matrix<float> x = y;
  const double variance = options.sigma * options.sigma;
  const auto nu = static_cast<float>(options.nu / variance);
  const auto penalty = [&](std::span<const float> at, std::span<float> gradient) {
    return log_energy(analysis, {at.data(), y.rows(), y.cols()}, nu, {gradient.data(), y.rows(), y.cols()});
  };
  result = denoise_from_data(x.values(), y.values(), options.weight * variance, penalty,
                             options.max_iterations, context);
  return x;
}

}  // namespace

DenoisedImage denoise_by_operator(MatrixView<const float> image, MatrixView<const double> analysis_operator,
                                  const ImageDenoisingOptions& requested, const Context& context) {
  validate_fields(requested);
  const kernels::FilterBank bank = patch_filters(analysis_operator);
  check_image(image);
  DenoisedImage out;
  const bool log = requested.penalty == ImagePenalty::log;
  out.report =
      make_report(log ? "analysis denoising, log penalty" : "analysis denoising, l1 penalty", context, 0);
  ImageDenoisingOptions options;
  {
    StageTimer timer(out.report, "noise level");
    options = resolve(requested, image, analysis_operator.rows, context);
  }
  record_options(out.report, options);
  StageTimer timer(out.report, "denoising");
  std::int64_t tiles = 0;
  out.image =
      for_tiles(image.rows, image.cols, options.tile, kTileOverlap, context,
                [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t cols,
                    std::int64_t index, std::int64_t count) {
                  const Context part = context.part("denoising", index, count);
                  const MatrixView<const float> tile(image.row_data(row) + column, rows, cols, image.stride);
                  tiles = count;
                  const Matrix<float> padded = mirrored_border(tile, bank.side());
                  Matrix<float> found;
                  std::vector<double> history;
                  if (log) {
                    operators::LbfgsResult result;
                    found = log_denoise(padded, bank, options, result, part);
                    history = std::move(result.history);
                  } else {
                    const double tau = options.weight * options.sigma;
                    found = l1_denoise(padded, analysis_operator, tau, options.max_iterations, history, part);
                  }
                  if (index == 0) out.report.objective_history = std::move(history);
                  return without_border(found, bank.side());
                });
  out.report.iterations = std::max<std::int64_t>(
      0, static_cast<std::int64_t>(out.report.objective_history.size()) - (log ? 1 : 0));
  out.sigma = options.sigma;
  out.report.figures.emplace_back("sigma", options.sigma);
  out.report.figures.emplace_back("tiles", tiles);
  return out;
}

}  // namespace parsimony::images
