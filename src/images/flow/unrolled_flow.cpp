#include "parsimony/images/unrolled_flow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/count_of.hpp"
#include "images/energy/check_image.hpp"
#include "images/energy/image_energy.hpp"
#include "images/energy/mirrored.hpp"
#include "images/flow/flow_network.hpp"
#include "operators/frames/unit_rows.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/images/image_denoising.hpp"
#include "parsimony/images/noise_level.hpp"

namespace parsimony::images {
namespace {

constexpr std::int64_t kBand = 16;  // rows of positions that one task works on
constexpr std::int64_t kRowsPerUpdate = 64;
constexpr std::int64_t kMost = 1024;  // filters, steps

// Runs the steps on the image, continued by `side` pixels and in units of sigma. Neighbouring bands of
// positions add to the same rows of the gradient. Each band therefore has rows of its own, which are summed
// in the order of the bands.
class Descent {
 public:
  Descent(MatrixView<const float> image, double sigma, std::int64_t side, const Context& context)
      : context_(context), side_(side), height_(image.rows + 2 * side), width_(image.cols + 2 * side) {
    noisy_ = mirrored_border(image, side);
    for (float& value : noisy_.values()) value = static_cast<float>(value / sigma);
    positions_ = height_ - side + 1;
    bands_ = (positions_ + kBand - 1) / kBand;
    band_rows_ = kBand + side - 1;
    gradients_ = Matrix<float>(bands_ * band_rows_, width_);
    state_ = noisy_;
    earlier_ = noisy_;
  }

  void run(const FlowStep& step) {
    context_.for_blocks(positions_, kBand, [&](std::int64_t begin, std::int64_t end) {
      float* gradient = gradients_.row(begin / kBand * band_rows_).data();
      std::fill_n(gradient, band_rows_ * width_, 0.0f);
      add_penalty_gradient(step, state_.row(begin).data(), width_, width_, end - begin, gradient);
    });
    context_.for_blocks(height_, kRowsPerUpdate, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> gradient(width_);
      for (std::int64_t y = begin; y < end; ++y) {
        std::fill(gradient.begin(), gradient.end(), 0.0f);
        const std::int64_t first = std::max<std::int64_t>(0, (y - band_rows_ + kBand) / kBand);
        for (std::int64_t band = first; band < bands_ && band * kBand <= y; ++band) {
          const float* part = gradients_.row(band * band_rows_ + y - band * kBand).data();
          for (std::int64_t x = 0; x < width_; ++x) gradient[x] += part[x];
        }
        const float *now = state_.row(y).data(), *noisy = noisy_.row(y).data();
        float* before = earlier_.row(y).data();  // becomes the next state
        for (std::int64_t x = 0; x < width_; ++x) {
          const float slope = gradient[x] + now[x] - noisy[x];
          before[x] = now[x] - step.rate * slope + step.momentum * (now[x] - before[x]);
        }
      }
    });
    std::swap(state_, earlier_);
  }

  Matrix<float> result(double sigma) const {
    Matrix<float> out = without_border(state_, side_);
    for (float& value : out.values()) value = static_cast<float>(value * sigma);
    return out;
  }

 private:
  const Context& context_;
  std::int64_t side_, height_, width_, positions_, bands_, band_rows_;
  Matrix<float> noisy_, state_, earlier_, gradients_;
};

}  // namespace

Matrix<double> zero_mean_dct(std::int64_t side) {
  Matrix<double> waves(side, side), basis(side * side - 1, side * side);
  for (std::int64_t k = 0; k < side; ++k) {
    const double norm = std::sqrt((k == 0 ? 1.0 : 2.0) / static_cast<double>(side));
    for (std::int64_t t = 0; t < side; ++t) {
      waves(k, t) = norm * std::cos(std::numbers::pi * static_cast<double>(k * (2 * t + 1)) /
                                    static_cast<double>(2 * side));
    }
  }
  for (std::int64_t j = 1; j < side * side; ++j) {
    for (std::int64_t u = 0; u < side; ++u) {
      for (std::int64_t v = 0; v < side; ++v) {
        basis(j - 1, u * side + v) = waves(j / side, u) * waves(j % side, v);
      }
    }
  }
  return basis;
}

UnrolledFlow initial_unrolled_flow(std::int64_t filters, std::int64_t steps, std::int64_t side) {
  const auto require = [](std::string_view name, std::int64_t value, std::int64_t low, std::int64_t high) {
    if (value >= low && value <= high) return;
    refuse(fmt::format("{}: {} is out of range; must be {} to {}", name, value, low, high));
  };
  require("filters", filters, 1, kMost);
  require("steps", steps, 1, kMost);
  require("side", side, 2, kernels::kMaxFilterSide);
  UnrolledFlow flow;
  flow.side = side;
  const std::int64_t waves = side * side - 1;
  flow.mixing = Matrix<double>(filters, waves);
  const RandomStream random(0, "unrolled_flow.mixing");
  for (std::int64_t i = 0; i < filters; ++i) {
    if (i < waves) {
      flow.mixing(i, i) = 1;
      continue;
    }
    for (std::int64_t j = 0; j < waves; ++j) {
      flow.mixing(i, j) = random.normal(i * waves + j) / std::sqrt(static_cast<double>(waves));
    }
  }
  const double weight = 0.96 / static_cast<double>(filters);
  flow.log_scales = Matrix<double>(steps, filters);
  flow.log_weights = Matrix<double>(steps, filters);
  flow.tails = Matrix<double>(steps, 2 * filters);
  std::fill_n(flow.log_weights.data(), flow.log_weights.size(), std::log(weight));
  for (std::int64_t s = 0; s < steps; ++s) {
    const double along = steps == 1 ? 1 : static_cast<double>(s) / static_cast<double>(steps - 1);
    const double squared = 2 * std::pow(20, along);
    flow.log_step_scales.push_back(std::log(squared) / 2);
    flow.log_rates.push_back(-std::log1p(weight * squared * static_cast<double>(filters) / 2));
    flow.momenta.push_back(0.3);
  }
  return flow;
}

UnrolledFlow initial_energy_flow(std::int64_t filters, std::int64_t steps, std::int64_t side) {
  UnrolledFlow flow = initial_unrolled_flow(filters, steps, side);
  const double nu = ImageDenoisingOptions{}.nu;
  flow.mixing = operators::unit_rows(flow.mixing);
  std::ranges::fill(flow.log_step_scales, std::log(nu) / 2);
  std::ranges::fill(flow.log_weights.values(), std::log(kLogWeight / static_cast<double>(filters)));
  std::ranges::fill(flow.log_rates, std::log(1.5 / (1 + kLogWeight * nu / 2)));
  std::ranges::fill(flow.momenta, 0.5);
  return flow;
}

Matrix<double> flow_operator(const UnrolledFlow& flow) {
  check_unrolled_flow(flow, "flow");
  check_one_energy(flow, "flow");
  return mixed_filters(flow);
}

void check_unrolled_flow(const UnrolledFlow& flow, const std::string& name, ErrorCode code) {
  const auto fail = [&](const std::string& what) { throw Error(code, fmt::format("{}: {}", name, what)); };
  if (flow.side < 2 || flow.side > kernels::kMaxFilterSide) {
    fail(fmt::format("filters of side {}; must be 2 to {}", flow.side, kernels::kMaxFilterSide));
  }
  const std::int64_t filters = flow.filters(), steps = flow.steps(), waves = flow.side * flow.side - 1;
  if (filters < 1 || filters > kMost)
    fail(fmt::format("{}; must be 1 to {}", count_of(filters, "filter"), kMost));
  if (steps < 1 || steps > kMost) fail(fmt::format("{}; must be 1 to {}", count_of(steps, "step"), kMost));
  const auto require = [&](std::string_view array, std::span<const double> values, std::int64_t rows,
                           std::int64_t cols, std::int64_t expected_rows, std::int64_t expected_cols) {
    if (rows != expected_rows || cols != expected_cols) {
      fail(fmt::format("{} is {} x {}; must be {} x {}", array, rows, cols, expected_rows, expected_cols));
    }
    for (const double value : values) {
      if (std::abs(value) <= kLargestFlowValue) continue;
      fail(fmt::format("{} has a value {}; must be {} to {}", array, value, -kLargestFlowValue,
                       kLargestFlowValue));
    }
  };
  const auto require_matrix = [&](std::string_view array, const Matrix<double>& m, std::int64_t rows,
                                  std::int64_t cols) {
    require(array, m.values(), m.rows(), m.cols(), rows, cols);
  };
  const auto require_vector = [&](std::string_view array, const std::vector<double>& values) {
    require(array, values, static_cast<std::int64_t>(values.size()), 1, steps, 1);
  };
  require_matrix("mixing", flow.mixing, flow.shared() ? filters : steps * filters, waves);
  require_matrix("log_scales", flow.log_scales, steps, filters);
  require_matrix("log_weights", flow.log_weights, steps, filters);
  require_matrix("tails", flow.tails, steps, 2 * filters);
  require_vector("log_step_scales", flow.log_step_scales);
  require_vector("log_rates", flow.log_rates);
  require_vector("momenta", flow.momenta);
}

DenoisedImage denoise_by_flow(MatrixView<const float> image, const UnrolledFlow& flow, double sigma,
                              const Context& context) {
  check_image(image);
  if (!(sigma >= kLeastSigma && std::isfinite(sigma))) {
    refuse(fmt::format("sigma: {} is out of range; must be at least {:g}", sigma, kLeastSigma));
  }
  check_unrolled_flow(flow, "flow");
  DenoisedImage result{.sigma = sigma, .report = make_report("unrolled flow", context, 0)};
  const StageTimer timer(result.report, "steps");
  const std::vector<FlowStep> steps = flow_steps(flow);
  Descent descent(image, sigma, flow.side, context);
  for (std::size_t s = 0; s < steps.size(); ++s) {
    descent.run(steps[s]);
    context.progress("denoise", static_cast<std::int64_t>(s) + 1, static_cast<std::int64_t>(steps.size()));
  }
  result.image = descent.result(sigma);
  const double squares = context.sum_blocks(image.rows, kRowsPerUpdate, [&](std::int64_t begin, auto end) {
    double sum = 0;
    for (std::int64_t y = begin; y < end; ++y) {
      for (std::int64_t x = 0; x < image.cols; ++x) {
        const double change = static_cast<double>(result.image(y, x)) - image(y, x);
        sum += change * change;
      }
    }
    return sum;
  });
  result.report.iterations = flow.steps();
  result.report.figures.emplace_back("rms_change",
                                     std::sqrt(squares / static_cast<double>(image.rows * image.cols)));
  return result;
}

}  // namespace parsimony::images
