// The terms of one recurrence, from which the filters of every cut-off are computed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "parsimony/core/matrix.hpp"

namespace parsimony::cluster {

/// scale: that of the operator. Keeps the rows of T_0 X, …, T_p X for a few nodes. For any filter h of degree
/// p, h(L) X of these nodes is then a sum, so that the recurrence that counts the eigenvalues serves every
/// number of clusters.
class SampledTerms {
 public:
  SampledTerms(std::span<const float> scale, std::span<const std::int32_t> sample, std::int64_t signals,
               int order)
      : scale_(scale), sample_(sample), terms_(std::ssize(sample) * (order + 1), signals), order_(order) {}

  void keep(std::int64_t first, int term, MatrixView<const float> panel) {
    if (term > order_) return;
    for (std::int64_t s = 0; s < std::ssize(sample_); ++s) {
      const float scale = scale_[sample_[s]];
      const float* from = panel.row_data(sample_[s]);
      float* to = terms_.row(s * (order_ + 1) + term).data() + first;
      for (std::int64_t c = 0; c < std::min(panel.cols, terms_.cols() - first); ++c) to[c] = scale * from[c];
    }
  }

  /// Rows of `count` of the nodes, spread evenly over them.
  Matrix<float> filtered(std::span<const double> coefficients, std::int64_t count) const {
    Matrix<float> rows(count, terms_.cols());
    for (std::int64_t s = 0; s < count; ++s) {
      const std::int64_t from = s * std::ssize(sample_) / count * (order_ + 1);
      float* row = rows.row(s).data();
      for (int j = 0; j <= order_; ++j) {
        const auto c = static_cast<float>(coefficients[j]);
        const float* term = terms_.row(from + j).data();
        for (std::int64_t column = 0; column < terms_.cols(); ++column) row[column] += c * term[column];
      }
    }
    return rows;
  }

 private:
  std::span<const float> scale_;
  std::span<const std::int32_t> sample_;
  Matrix<float> terms_;  // T_j of sample s in row s · (order + 1) + j
  int order_;
};

}  // namespace parsimony::cluster
