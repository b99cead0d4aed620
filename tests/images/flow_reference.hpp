// The unrolled flow as its definition reads, in float64 and without a thought for time.
#pragma once

#include <cmath>
#include <vector>

#include "parsimony/core/matrix.hpp"
#include "parsimony/images/unrolled_flow.hpp"

namespace parsimony::images::testing {

/// The result of the last step on an image in units of sigma that is not continued.
inline Matrix<double> reference_flow(const UnrolledFlow& flow, const Matrix<double>& noisy) {
  const std::int64_t p = flow.side, height = noisy.rows(), width = noisy.cols();
  const Matrix<double> basis = zero_mean_dct(p);
  Matrix<double> x = noisy, earlier = noisy;
  for (std::int64_t s = 0; s < flow.steps(); ++s) {
    Matrix<double> g(height, width);
    for (std::int64_t k = 0; k < g.size(); ++k) g.data()[k] = x.data()[k] - noisy.data()[k];
    const std::int64_t first = flow.shared() ? 0 : s * flow.filters();
    for (std::int64_t i = 0; i < flow.filters(); ++i) {
      const double near = flow.tails(s, 2 * i), far = flow.tails(s, 2 * i + 1);
      std::vector<double> w(p * p);
      for (std::int64_t t = 0; t < p * p; ++t) {
        for (std::int64_t j = 0; j < basis.rows(); ++j) w[t] += flow.mixing(first + i, j) * basis(j, t);
        w[t] *= std::exp(flow.log_step_scales[s] + flow.log_scales(s, i));
      }
      for (std::int64_t y = 0; y + p <= height; ++y) {
        for (std::int64_t z = 0; z + p <= width; ++z) {
          double r = 0;
          for (std::int64_t t = 0; t < p * p; ++t) r += w[t] * x(y + t / p, z + t % p);
          const double influence = 2 * std::exp(flow.log_weights(s, i)) * r *
                                   (1 / (1 + r * r) + near * 3 / (9 + r * r) + far * 9 / (81 + r * r));
          for (std::int64_t t = 0; t < p * p; ++t) g(y + t / p, z + t % p) += w[t] * influence;
        }
      }
    }
    Matrix<double> next(height, width);
    for (std::int64_t k = 0; k < g.size(); ++k) {
      next.data()[k] = x.data()[k] - std::exp(flow.log_rates[s]) * g.data()[k] +
                       flow.momenta[s] * (x.data()[k] - earlier.data()[k]);
    }
    earlier = x;
    x = next;
  }
  return x;
}

inline Matrix<double> in_float64(const Matrix<float>& image) {
  Matrix<double> out(image.rows(), image.cols());
  for (std::int64_t k = 0; k < image.size(); ++k) out.data()[k] = static_cast<double>(image.data()[k]);
  return out;
}

inline double reference_loss(const UnrolledFlow& flow, const Matrix<float>& noisy, const Matrix<float>& clean,
                             std::int64_t margin) {
  const Matrix<double> found = reference_flow(flow, in_float64(noisy));
  double sum = 0, count = 0;
  for (std::int64_t y = margin; y < noisy.rows() - margin; ++y) {
    for (std::int64_t x = margin; x < noisy.cols() - margin; ++x) {
      const double error = found(y, x) - static_cast<double>(clean(y, x));
      sum += error * error;
      ++count;
    }
  }
  return std::log(sum / count);
}

}  // namespace parsimony::images::testing
