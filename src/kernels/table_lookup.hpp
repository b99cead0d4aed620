// Sums of table entries selected by codes: the product with a quantized weight, given the tables of x.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Number of outputs whose codes lie together.
inline constexpr std::int64_t kLookupGroup = 64;
/// Number of tables that one call may sum: 256 bytes add up to at most 16 bits.
inline constexpr std::int64_t kMostLookups = 256;

/// Place of output i of a group among its codes. Outputs 0 and 32, 1 and 33, … lie side by side, so that the
/// sums of even bytes and of odd bytes, held in vectors of 16 bits, come out in the order of the outputs.
inline std::int64_t lookup_place(std::int64_t i) {
  return i < kLookupGroup / 2 ? 2 * i : 2 * (i - kLookupGroup / 2) + 1;
}

/// Tables from quantized_tables. entries is 16, 32, 64, 128 or 256, and no code is above entries − 1.
struct LookupTables {
  const std::uint8_t* data = nullptr;
  std::int64_t entries = 0;
  int planes = 1;
};

/// sums[64 g + i] += step · Σ_n (entry of column order[n] at the code of output i of group g), for `count` ≤
/// kMostLookups columns and `groups` groups. The 64 codes of column c and group g begin at codes + 64 · (c ·
/// groups + g). Integer sums are exact: only the addition to `sums` rounds. No pointer needs alignment.
///
/// Limit for 256 entries: two byte permutes of AVX-512 (VBMI) per 64 look-ups, or 16 shuffles of 16 bytes and
/// 15 selections per vector of codes. If the codes do not fit the second-level cache: reading them, one byte
/// per look-up.
void add_lookups(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
                 const std::int32_t* order, std::int64_t count, float step, float* sums);

/// The measured cost of a look-up in one plane on the current SIMD target, in multiply-adds of
/// matrix_product. Callers use it to choose between the two kernels.
double lookup_cost(std::int64_t entries);

/// sums[64 g + i] += Σ_c tables[c · entries + code], c < columns, in the order of the columns. Codes lie as
/// above and may be wider than a byte. Uses plain loads, because gathers are at best a little faster.
template <class Code>
void add_float_lookups(const float* tables, std::int64_t entries, const Code* codes, std::int64_t groups,
                       std::int64_t columns, float* sums);

/// add_lookups in plain C++, as a reference for tests.
void add_lookups_scalar(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
                        const std::int32_t* order, std::int64_t count, float step, float* sums);

}  // namespace parsimony::kernels
