// Computes the coefficients of all overlapping patches of an image, and the adjoint, in one pass that stores
// neither.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/filter_bank.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::images {

enum class Border {
  periodic,  ///< as many patches as pixels
  none       ///< the patches that lie within the image
};

/// The rows of an operator, a × p², scaled to norm 1, as filters of side p. Throws invalid_argument (rows
/// that are not square patches of sides 2 to kMaxFilterSide, values that are not finite, rows of zeros).
kernels::FilterBank patch_filters(MatrixView<const double> omega);

/// Coefficients come in strips: filters × columns neighbouring positions of one row, a filter every `stride`.
struct CoefficientStrip {
  float* values;  ///< starts with filter 0; the values between the rows must stay 0
  std::int64_t filters, columns, stride;
  std::int64_t row, column;  ///< the first position

  /// Length of the whole strip in memory, zeros between the rows included.
  std::int64_t count() const { return (filters - 1) * stride + columns; }
};

class PatchAnalysis {
 public:
  PatchAnalysis(const kernels::FilterBank& bank, std::int64_t height, std::int64_t width, Border border,
                const Context& context);

  std::int64_t rows() const { return padded_height_ - side_ + 1; }  ///< rows of positions
  std::int64_t cols() const { return padded_width_ - side_ + 1; }

  /// Returns the sum of body(strip) over all strips, in their order. body replaces the coefficients r of
  /// `image` by values s, and `adjoint` (height × width) becomes the sum of their adjoints over the patches.
  /// Bands of rows run in parallel; a strip is in the band row / kBandRows.
  template <class Body>
  double apply(MatrixView<const float> image, MatrixView<float> adjoint, const Body& body) {
    pad(image);
    const double sum = context_.sum_blocks(rows(), kBandRows, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> buffer(
          static_cast<std::size_t>(kernels::kFilterMargin + bank_.filters() * strip_stride()));
      float* partial = partials_.row(begin / kBandRows).data();
      std::fill_n(partial, partials_.cols(), 0.0f);
      double part = 0;
      for (std::int64_t row = begin; row < end; ++row) {
        for (std::int64_t column = 0; column < cols(); column += strip_columns_) {
          const CoefficientStrip strip{buffer.data() + kernels::kFilterMargin,
                                       bank_.filters(),
                                       std::min(strip_columns_, cols() - column),
                                       strip_stride(),
                                       row,
                                       column};
          correlate(strip);
          part += body(strip);
          bank_.adjoint(strip.values, strip.stride, strip.columns,
                        partial + (row - begin) * padded_width_ + column, padded_width_);
        }
      }
      return part;
    });
    fold(adjoint);
    return sum;
  }

  static constexpr std::int64_t kBandRows = 16;

 private:
  std::int64_t strip_stride() const { return strip_columns_ + kernels::kFilterMargin; }
  void correlate(const CoefficientStrip& strip) const;
  void pad(MatrixView<const float> image);
  void fold(MatrixView<float> adjoint) const;

  const kernels::FilterBank& bank_;
  const Context& context_;
  std::int64_t side_, height_, width_, padded_height_, padded_width_, strip_columns_;
  std::vector<std::int64_t> row_of_, column_of_;  // in the image, for each row and column of the padded one
  Matrix<float> padded_;
  Matrix<float> partials_;  // row b: the part of the padded adjoint that band b adds
};

}  // namespace parsimony::images
