#include "parsimony/images/adaptive_denoising.hpp"

#include <optional>
#include <span>
#include <utility>

#include "images/flow/unbiased_risk.hpp"
#include "operators/learning/find_patches.hpp"
#include "parsimony/images/image_denoising.hpp"
#include "parsimony/operators/learn.hpp"

namespace parsimony::images {
namespace {

constexpr std::int64_t kSide = 8;
constexpr std::int64_t kBatch = 2048;

// The operator learned from patches of the pilot; empty where the pilot is too small or too flat.
Matrix<double> learned_rows(const Matrix<float>& pilot, const AdaptiveDenoisingOptions& options,
                            const Context& context) {
  if (pilot.rows() < kSide || pilot.cols() < kSide) return {};
  const MatrixView<const float> view = pilot;
  const std::optional<Matrix<float>> patches = operators::find_patches(
      std::span(&view, 1), {.count = options.patches, .side = kSide, .seed = options.seed}, context);
  if (!patches) return {};
  const auto learning = operators::suited_to_patches({.rows = options.rows,
                                                      .zero_mean = true,
                                                      .batch_size = kBatch,
                                                      .batches = options.batches,
                                                      .seed = options.seed});
  return std::move(operators::learn_geometric(*patches, learning, context).analysis_operator);
}

}  // namespace

AdaptedImage denoise_adaptively(MatrixView<const float> image, const UnrolledFlow& flow,
                                const AdaptiveDenoisingOptions& options, const Context& context) {
  validate_fields(options);
  AdaptedImage out;
  out.report = make_report("adaptive denoising", context, options.seed);
  record_options(out.report, options);
  const auto by_flow = [&](MatrixView<const float> of) {
    return std::move(denoise_by_flow(of, flow, options.sigma, context).image);
  };
  StageTimer first(out.report, "pilot");
  const Matrix<float> pilot = by_flow(image);
  first.finish();
  {
    StageTimer timer(out.report, "learning");
    out.analysis_operator = learned_rows(pilot, options, context);
  }
  if (out.analysis_operator.rows() == 0) {
    out.image = pilot;
    out.report.figures.emplace_back("share", 0.0);
    return out;
  }
  const auto by_rows = [&](MatrixView<const float> of) {
    return std::move(denoise_by_operator(of, out.analysis_operator, {.sigma = options.sigma}, context).image);
  };
  const Matrix<float> noisy = copy_of(image);
  StageTimer second(out.report, "denoising");
  out.image = by_rows(noisy);
  second.finish();
  StageTimer third(out.report, "blending");
  const double of_pilot = mean_divergence(noisy, pilot, options.sigma, options.seed, by_flow);
  const double of_rows = mean_divergence(noisy, out.image, options.sigma, options.seed, by_rows);
  const Blend blend = best_blend(noisy, pilot, of_pilot, out.image, of_rows, options.sigma);
  out.share = blend.share;
  const auto share = static_cast<float>(blend.share);
  for (std::int64_t i = 0; i < noisy.size(); ++i) {
    out.image.data()[i] = pilot.data()[i] + share * (out.image.data()[i] - pilot.data()[i]);
  }
  out.report.figures.emplace_back("share", blend.share);
  out.report.figures.emplace_back("pilot_risk", blend.first_risk);
  out.report.figures.emplace_back("risk", blend.risk);
  return out;
}

}  // namespace parsimony::images
