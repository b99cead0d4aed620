// Sums of outer products: what Gram matrices and rotations of tall panels come down to.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Rows m of the sum are a multiple of this, columns n one of 128 bytes; the caller pads with zeros.
inline constexpr std::int64_t kOuterRows = 8;
template <class T>
inline constexpr std::int64_t kOuterColumns = 128 / static_cast<std::int64_t>(sizeof(T));

/// c (m × n, row-major, contiguous) = [c +] Σ_t a_t b_tᵀ over t < depth, with a_t = a + t · m and b_t = b + t
/// · n. Every sum runs in the order of t. T is float or double; no pointer needs alignment, c overlaps
/// neither.
///
/// Limit: multiply-adds. 16 sums of two vectors stay in registers for 10 loads.
template <class T>
void outer_products(const T* a, std::int64_t m, const T* b, std::int64_t n, std::int64_t depth, T* c,
                    bool accumulate);

/// The same in plain C++, for tests.
template <class T>
void outer_products_scalar(const T* a, std::int64_t m, const T* b, std::int64_t n, std::int64_t depth, T* c,
                           bool accumulate);

}  // namespace parsimony::kernels
