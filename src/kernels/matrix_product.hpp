// Products of a matrix in any layout with a row-major panel: what the coefficients of samples under an
// operator, and the gradient by the operator, come down to.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Columns of the panel are a multiple of this, 64 bytes; the caller pads.
template <class T>
inline constexpr std::int64_t kProductColumns = 64 / static_cast<std::int64_t>(sizeof(T));

/// A matrix of which row i, column t is data[i · row + t · column].
template <class T>
struct ProductFactor {
  const T* data = nullptr;
  std::int64_t row = 0;
  std::int64_t column = 1;
};

/// c (rows × columns) = [c +] a (rows × depth) · b (depth × columns); b and c are row-major and contiguous.
/// Every sum runs in the order of the depth. T is float or double; no pointer needs alignment, c overlaps
/// neither factor.
///
/// Limit: multiply-adds. 16 sums (of 32 vector registers, or 8 of 16) are kept for 10 (6) loads.
template <class T>
void matrix_product(const ProductFactor<T>& a, std::int64_t rows, std::int64_t depth, const T* b,
                    std::int64_t columns, T* c, bool accumulate);

/// The same in plain C++, for tests.
template <class T>
void matrix_product_scalar(const ProductFactor<T>& a, std::int64_t rows, std::int64_t depth, const T* b,
                           std::int64_t columns, T* c, bool accumulate);

}  // namespace parsimony::kernels
