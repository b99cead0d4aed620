#include "images/denoising/l1_denoising.hpp"

#include <algorithm>
#include <cmath>

#include "images/energy/patch_analysis.hpp"
#include "operators/frames/unit_rows.hpp"
#include "parsimony/operators/frames.hpp"

namespace parsimony::images {
namespace {

constexpr double kPenalty = 4;           // gamma L; the data term has weight 1
constexpr std::int64_t kImageRows = 16;  // image rows of a block

// A bound of the squared norm of Ω on all periodic patches, with rows of norm 1; tight frames reach it.
double squared_norm(MatrixView<const double> omega) {
  return static_cast<double>(omega.cols) * operators::frame_bounds(operators::unit_rows(omega)).upper;
}

}  // namespace

Matrix<float> l1_denoise(MatrixView<const float> y, MatrixView<const double> omega, double tau,
                         int max_iterations, std::vector<double>& history, const Context& context) {
  const kernels::FilterBank bank = patch_filters(omega);
  PatchAnalysis analysis(bank, y.rows, y.cols, Border::periodic, context);
  const double norm = squared_norm(omega), gamma = kPenalty / norm;
  const auto bound = static_cast<float>(tau / gamma);
  // The new B is Ω x + B clipped to ±tau/gamma. The x-update needs only Ω x − Z + B = 2 B − (the B before).
  Matrix<float> duals(analysis.rows() * bank.filters(), analysis.cols());
  Matrix<float> x = copy_of(y), adjoint(y.rows, y.cols);

  for (int iteration = 0; iteration < max_iterations; ++iteration) {
    context.check_cancelled();
    const double absolutes = analysis.apply(x, adjoint, [&](const CoefficientStrip& strip) {
      double sum = 0;
      for (std::int64_t i = 0; i < strip.filters; ++i) {
        float* r = strip.values + i * strip.stride;
        float* b = duals.row(strip.row * strip.filters + i).data() + strip.column;
        float part = 0;
        for (std::int64_t c = 0; c < strip.columns; ++c) {
          part += std::abs(r[c]);
          const float before = b[c];
          b[c] = std::min(std::max(r[c] + before, -bound), bound);
          r[c] = 2 * b[c] - before;
        }
        sum += part;
      }
      return sum;
    });
    double distance = 0;
    for (std::int64_t i = 0; i < y.rows; ++i) {
      for (std::int64_t j = 0; j < y.cols; ++j) {
        distance += (static_cast<double>(x(i, j)) - y(i, j)) * (static_cast<double>(x(i, j)) - y(i, j));
      }
    }
    history.push_back(tau * absolutes + distance / 2);
    const auto kept = static_cast<float>(kPenalty), step = static_cast<float>(gamma);
    const double moved = context.sum_blocks(y.rows, kImageRows, [&](std::int64_t begin, std::int64_t end) {
      double part = 0;
      for (std::int64_t i = begin; i < end; ++i) {
        for (std::int64_t j = 0; j < y.cols; ++j) {
          const float next = (y(i, j) + kept * x(i, j) - step * adjoint(i, j)) / (1 + kept);
          part += (static_cast<double>(next) - x(i, j)) * (static_cast<double>(next) - x(i, j));
          x(i, j) = next;
        }
      }
      return part;
    });
    context.progress("denoising", iteration + 1, max_iterations);
    if (std::sqrt(moved / static_cast<double>(x.size())) < 1e-4 * tau) break;
  }
  return x;
}

}  // namespace parsimony::images
