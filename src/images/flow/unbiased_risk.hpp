// Estimates the mean square error of a denoised image from the noisy one alone [stein1981estimation].
#pragma once

#include <algorithm>
#include <cstdint>

#include "parsimony/core/matrix.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::images {

/// The mean divergence of a method at the noisy image, by one difference along random signs
/// [ramani2008monte]. method(image) returns a Matrix<float>; found is method(noisy).
template <class Method>
double mean_divergence(const Matrix<float>& noisy, const Matrix<float>& found, double sigma,
                       std::uint64_t seed, const Method& method) {
  const auto step = static_cast<float>(0.1 * sigma);
  Matrix<float> signs(noisy.rows(), noisy.cols()), moved(noisy.rows(), noisy.cols());
  RandomStream(seed, "unbiased_risk.signs").fill_rademacher(signs.values());
  for (std::int64_t i = 0; i < noisy.size(); ++i) {
    moved.data()[i] = noisy.data()[i] + step * signs.data()[i];
  }
  const Matrix<float> there = method(moved);
  double sum = 0;
  for (std::int64_t i = 0; i < noisy.size(); ++i) {
    sum += static_cast<double>(signs.data()[i]) * (there.data()[i] - found.data()[i]);
  }
  return sum / (static_cast<double>(step) * static_cast<double>(noisy.size()));
}

/// The blend (1 − share) · first + share · second of least risk, for a share of 0 to 1. Risks estimate
/// mean square errors.
struct Blend {
  double share = 0, first_risk = 0, risk = 0;
};

inline Blend best_blend(const Matrix<float>& noisy, const Matrix<float>& first, double first_divergence,
                        const Matrix<float>& second, double second_divergence, double sigma) {
  double off = 0, across = 0, apart = 0;
  for (std::int64_t i = 0; i < noisy.size(); ++i) {
    const double taken = static_cast<double>(first.data()[i]) - noisy.data()[i];
    const double change = static_cast<double>(second.data()[i]) - first.data()[i];
    off += taken * taken;
    across += taken * change;
    apart += change * change;
  }
  const double count = static_cast<double>(noisy.size()), variance = sigma * sigma;
  // risk(share) = first_risk + 2 · slope · share + apart · share²
  const double slope = across / count + variance * (second_divergence - first_divergence);
  apart /= count;
  Blend out;
  out.first_risk = off / count + variance * (2 * first_divergence - 1);
  out.share = apart > 0 ? std::clamp(-slope / apart, 0.0, 1.0) : 0;
  out.risk = out.first_risk + (2 * slope + apart * out.share) * out.share;
  return out;
}

}  // namespace parsimony::images
