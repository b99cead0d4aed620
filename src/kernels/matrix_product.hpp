// Products of a matrix in any layout with a row-major panel. They give the coefficients of samples under an
// operator and the gradient with respect to the operator.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// The number of columns of the panel must be a multiple of this (64 bytes); the caller pads.
template <class T>
inline constexpr std::int64_t kProductColumns = 64 / static_cast<std::int64_t>(sizeof(T));

/// A matrix whose entry (i, t) is data[i · row + t · column].
template <class T>
struct ProductFactor {
  const T* data = nullptr;
  std::int64_t row = 0;
  std::int64_t column = 1;
};

/// c (rows × columns) = [c +] a (rows × depth) · b (depth × columns); b and c are row-major and contiguous.
/// Every sum runs in the order of the depth. T is float or double. No pointer needs alignment; c must not
/// overlap a factor.
///
/// Limit: multiply-adds. With 32 vector registers 16 sums stay in registers for 10 loads, with 16 registers 8
/// for 6.
template <class T>
void matrix_product(const ProductFactor<T>& a, std::int64_t rows, std::int64_t depth, const T* b,
                    std::int64_t columns, T* c, bool accumulate);

/// The same in plain C++, as a reference for tests.
template <class T>
void matrix_product_scalar(const ProductFactor<T>& a, std::int64_t rows, std::int64_t depth, const T* b,
                           std::int64_t columns, T* c, bool accumulate);

}  // namespace parsimony::kernels
