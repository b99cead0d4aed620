// Operators to certify.
#pragma once

#include <cstdint>

#include "operators/frames/eigen_map.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/operators/frames.hpp"

namespace parsimony::operators::testing {

inline Matrix<double> gaussian(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  Matrix<double> out(rows, cols);
  const RandomStream random(seed, "test.gaussian");
  for (std::int64_t i = 0; i < out.size(); ++i) out.data()[i] = random.normal(static_cast<std::uint64_t>(i));
  return out;
}

// A UNTF at a distance from Ω, relative to ‖Ω‖_F.
inline Matrix<double> perturbed(const Matrix<double>& omega, double distance, std::uint64_t seed) {
  Matrix<double> out = omega, noise = gaussian(omega.rows(), omega.cols(), seed);
  const double factor = distance * as_eigen(omega.view()).norm() / as_eigen(noise.view()).norm();
  as_eigen(out.view()) += factor * as_eigen(noise.view());
  project_untf(out);
  return out;
}

}  // namespace parsimony::operators::testing
