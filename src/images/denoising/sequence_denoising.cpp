#include "parsimony/images/sequence_denoising.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "images/energy/data_descent.hpp"
#include "images/energy/image_energy.hpp"
#include "images/energy/mirrored.hpp"
#include "kernels/log_penalty.hpp"
#include "kernels/matrix_product.hpp"
#include "kernels/round_up.hpp"
#include "operators/frames/unit_rows.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/images/image_denoising.hpp"

namespace parsimony::images {
namespace {

constexpr std::int64_t kWindows = 512;

// The log penalty of all windows of a signal.
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
  // The penalty of the windows from begin to end. Row k of the panel holds value k of each window.
  double block(std::span<const float> signal, float nu, std::int64_t begin, std::int64_t end) {
    const std::int64_t count = end - begin;
    const std::int64_t columns = kernels::round_up(count, kernels::kProductColumns<float>);
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
  Matrix<float> partials_;  // row b: the part of the gradient that block b of windows adds
};

}  // namespace

DenoisedSequence denoise_sequence(std::span<const float> signal, MatrixView<const double> omega,
                                  const SequenceDenoisingOptions& options, const Context& context) {
  if (options.sigma == 0) refuse("sigma: it is not estimated for signals; give it");
  validate_fields(options);
  if (signal.empty()) refuse("signal: has no values");
  for (std::size_t i = 0; i < signal.size(); ++i) {
    if (std::isfinite(signal[i])) continue;
    refuse(fmt::format("signal: value {} is {}; must be finite", i, signal[i]));
  }
  if (omega.rows < 1 || omega.cols < 2) {
    refuse(fmt::format("operator: {} × {}; rows of at least 2 values are needed", omega.rows, omega.cols));
  }
  SequenceDenoisingOptions used = options;
  if (used.nu == 0) used.nu = ImageDenoisingOptions{}.nu;
  if (used.max_iterations == 0) used.max_iterations = 20;
  if (used.weight == 0) used.weight = kLogWeight / static_cast<double>(omega.rows);
  DenoisedSequence out;
  out.report = make_report("analysis denoising of a sequence", context, 0);
  record_options(out.report, used);
  StageTimer timer(out.report, "denoising");
  // The signal is mirrored beyond both ends, as images are, and scaled to sigma = 1, so that no scale of it
  // overflows.
  const auto inner = static_cast<std::int64_t>(signal.size()), length = inner + 2 * omega.cols;
  WindowAnalysis analysis(omega, length, context);
  std::vector<float> noisy(length);
  for (std::int64_t i = 0; i < length; ++i) {
    noisy[i] = static_cast<float>(signal[mirrored(i - omega.cols, inner)] / used.sigma);
  }
  if (!std::ranges::all_of(noisy, [](float value) { return std::abs(value) < 1e12f; })) {
    refuse(fmt::format("sigma: {} is less than 1e-12 of the largest value; float32 cannot hold both",
                       used.sigma));
  }
  std::vector<float> x = noisy;
  const auto penalty = [&](std::span<const float> at, std::span<float> gradient) {
    return analysis(at, static_cast<float>(used.nu), gradient);
  };
  const operators::LbfgsResult result =
      denoise_from_data(x, noisy, used.weight, penalty, used.max_iterations, context);
  out.report.iterations = result.iterations;
  out.report.objective_history = result.history;
  for (const float value : std::span(x).subspan(omega.cols, inner)) {
    out.values.push_back(static_cast<float>(value * used.sigma));
  }
  return out;
}

}  // namespace parsimony::images
