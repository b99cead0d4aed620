// Sums of outer products, for Gram matrices and rotations of tall panels.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// The number of rows m must be a multiple of kOuterRows and the number of columns n one of kOuterColumns
/// (128 bytes); the caller pads with zeros.
inline constexpr std::int64_t kOuterRows = 8;
template <class T>
inline constexpr std::int64_t kOuterColumns = 128 / static_cast<std::int64_t>(sizeof(T));

/// c (m × n, row-major, contiguous) = [c +] Σ_t a_t b_tᵀ over t < depth, with a_t = a + t · m and b_t = b + t
/// · n. Every sum runs in the order of t. T is float or double. No pointer needs alignment; c must not
/// overlap a factor.
///
/// Limit: multiply-adds; 16 sums stay in registers for 10 loads.
template <class T>
void outer_products(const T* a, std::int64_t m, const T* b, std::int64_t n, std::int64_t depth, T* c,
                    bool accumulate);

/// The same in plain C++, as a reference for tests.
template <class T>
void outer_products_scalar(const T* a, std::int64_t m, const T* b, std::int64_t n, std::int64_t depth, T* c,
                           bool accumulate);

}  // namespace parsimony::kernels
