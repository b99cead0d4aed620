#include "parsimony/images/sequence_denoising.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "images/energy/image_energy.hpp"
#include "images/energy/mirrored.hpp"
#include "kernels/log_penalty.hpp"
#include "kernels/matrix_product.hpp"
#include "operators/frames/unit_rows.hpp"
#include "operators/solvers/lbfgs.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::images {
namespace {

constexpr std::int64_t kWindows = 512;

// The penalty of all windows of a signal.
class WindowAnalysis {
 public:
  WindowAnalysis(MatrixView<const double> omega, std::int64_t length, const Context& context)
      : context_(context), rows_(omega.rows), width_(omega.cols) {
    const Matrix<double> unit = operators::unit_rows(omega);
    filters_.assign(unit.values().begin(), unit.values().end());
    windows_ = length - width_ + 1;
    partials_ = Matrix<float>((windows_ + kWindows - 1) / kWindows, kWindows + width_ - 1);
  }

  /// Σ log(1 + nu r²), and its gradient by the signal.
  double operator()(std::span<const float> signal, float nu, std::span<float> gradient) {
    const double sum = context_.sum_blocks(windows_, kWindows, [&](std::int64_t begin, std::int64_t end) {
      return block(signal, nu, begin, end);
    });
    std::ranges::fill(gradient, 0.0f);
    for (std::int64_t begin = 0; begin < windows_; begin += kWindows) {
      const float* part = partials_.row(begin / kWindows).data();
      const std::int64_t count = std::min(kWindows, windows_ - begin) + width_ - 1;
      for (std::int64_t k = 0; k < count; ++k) gradient[begin + k] += part[k];
    }
    return sum;
  }

 private:
  // Row k of the panel is value k of each window.
  double block(std::span<const float> signal, float nu, std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t kUnit = kernels::kProductColumns<float>;
    const std::int64_t count = end - begin, columns = (count + kUnit - 1) / kUnit * kUnit;
    Matrix<float> panel(width_, columns), coefficients(rows_, columns);
    for (std::int64_t k = 0; k < width_; ++k) {
      std::copy_n(signal.data() + begin + k, count, panel.row(k).data());
    }
    kernels::matrix_product<float>({filters_.data(), width_, 1}, rows_, width_, panel.data(), columns,
                                   coefficients.data(), false);
    const double sum =
        kernels::log_penalty(coefficients.data(), coefficients.size(), nu, coefficients.data());
    kernels::matrix_product<float>({filters_.data(), 1, width_}, width_, rows_, coefficients.data(), columns,
                                   panel.data(), false);
    auto part = partials_.row(begin / kWindows);
    std::ranges::fill(part, 0.0f);
    for (std::int64_t k = 0; k < width_; ++k) {
      for (std::int64_t u = 0; u < count; ++u) part[u + k] += panel(k, u);
    }
    return sum;
  }

  const Context& context_;
  std::vector<float> filters_;
  std::int64_t rows_, width_, windows_ = 0;
  Matrix<float> partials_;  // a block of windows a row: its part of the gradient
};

}  // namespace

DenoisedSequence denoise_sequence(std::span<const float> signal, MatrixView<const double> omega,
                                  const SequenceDenoisingOptions& options, const Context& context) {
  validate_fields(options);
  if (signal.empty()) refuse("the signal to denoise has no values");
  for (std::size_t i = 0; i < signal.size(); ++i) {
    if (std::isfinite(signal[i])) continue;
    refuse(fmt::format("the signal to denoise is not finite at {}", i));
  }
  if (omega.rows < 1 || omega.cols < 2) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("operator: {} × {}; rows of at least 2 values are needed", omega.rows, omega.cols));
  }
  SequenceDenoisingOptions used = options;
  if (used.weight == 0) used.weight = kLogWeight / static_cast<double>(omega.rows);
  DenoisedSequence out;
  out.report = make_report("analysis denoising of a sequence", context, 0);
  record_options(out.report, used);
  StageTimer timer(out.report, "denoising");
  // Mirrored beyond both ends, as an image is beyond its borders; in units of sigma, so that no scale of the
  // signal overflows.
  const auto inner = static_cast<std::int64_t>(signal.size()), length = inner + 2 * omega.cols;
  WindowAnalysis analysis(omega, length, context);
  std::vector<float> noisy(length);
  for (std::int64_t i = 0; i < length; ++i) {
    noisy[i] = static_cast<float>(signal[mirrored(i - omega.cols, inner)] / used.sigma);
  }
  if (!std::ranges::all_of(noisy, [](float value) { return std::abs(value) < 1e12f; })) {
    refuse(fmt::format("sigma: {}; nothing beside the values of the signal", used.sigma));
  }
  std::vector<float> x = noisy;
  const auto scale = static_cast<float>(used.weight);
  const auto objective = [&](std::span<const float> at, std::span<float> gradient) {
    const double penalty = analysis(at, static_cast<float>(used.nu), gradient);
    double distance = 0;
    for (std::int64_t i = 0; i < length; ++i) {
      const float difference = at[i] - noisy[i];
      gradient[i] = difference + scale * gradient[i];
      distance += static_cast<double>(difference) * difference;
    }
    return distance / 2 + used.weight * penalty;
  };
  const operators::LbfgsResult result = operators::lbfgs(std::span<float>(x), objective,
                                                         {.memory = 8,
                                                          .max_iterations = used.max_iterations,
                                                          .tolerance = 0,
                                                          .gradient_tolerance = 1e-6,
                                                          .first_step = 0.3,
                                                          .stage = "denoising"},
                                                         context);
  out.report.iterations = result.iterations;
  out.report.objective_history = result.history;
  for (const float value : std::span(x).subspan(omega.cols, inner)) {
    out.values.push_back(static_cast<float>(value * used.sigma));
  }
  return out;
}

}  // namespace parsimony::images
