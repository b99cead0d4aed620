// Sums of table entries under codes: the product with a weight in codes, once the tables of x are there.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Outputs whose codes lie together.
inline constexpr std::int64_t kLookupGroup = 64;
/// Tables that one call may sum: 256 bytes fit into 16 bits.
inline constexpr std::int64_t kMostLookups = 256;

/// Place of output i of a group among its codes: 0 and 32, 1 and 33, … lie side by side, so that sums of the
/// even and of the odd bytes, which vectors of 16 bits hold, come out in the order of the outputs.
inline std::int64_t lookup_place(std::int64_t i) {
  return i < kLookupGroup / 2 ? 2 * i : 2 * (i - kLookupGroup / 2) + 1;
}

/// Tables as quantized_tables makes them. No code is above entries − 1; entries: 16, 32, 64, 128 or 256.
struct LookupTables {
  const std::uint8_t* data = nullptr;
  std::int64_t entries = 0;
  int planes = 1;
};

/// sums[64 g + i] += step · Σ_n value of column order[n] under the code of output i of group g, for `count` ≤
/// kMostLookups columns and `groups` groups. The codes of column c and group g are the 64 bytes from
/// codes + 64 · (c · groups + g) on. The integer sums are exact, so that only the addition to `sums` rounds.
/// No pointer needs alignment.
///
/// Limit, of 256 entries: with byte permutes of AVX-512 (VBMI) two of them per 64 look-ups, with shuffles of
/// 16 bytes 16 shuffles and 15 selections per vector of codes. Beyond the second cache: the codes, a byte a
/// look-up.
void add_lookups(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
                 const std::int32_t* order, std::int64_t count, float step, float* sums);

/// What a look-up in one plane takes, in multiply-adds of matrix_product on the target that runs: measured,
/// for those who choose between the two.
double lookup_cost(std::int64_t entries);

/// sums[64 g + i] += Σ_c tables[c · entries + code], c < columns, in the order of the columns; codes lie as
/// above and may be wider. Plain loads: gathers are no faster where they are in microcode, and little
/// elsewhere.
template <class Code>
void add_float_lookups(const float* tables, std::int64_t entries, const Code* codes, std::int64_t groups,
                       std::int64_t columns, float* sums);

/// The same as add_lookups in plain C++, for tests.
void add_lookups_scalar(const LookupTables& tables, const std::uint8_t* codes, std::int64_t groups,
                        const std::int32_t* order, std::int64_t count, float step, float* sums);

}  // namespace parsimony::kernels
