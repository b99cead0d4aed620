// Which process holds which rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "parsimony/spectral/operator.hpp"

namespace parsimony::distributed {

/// Contiguous ranges of rows, one for each process, which begin at multiples of spectral::kRowsPerSum. A
/// small graph leaves processes without rows.
struct Partition {
  std::vector<std::int64_t> begins{0};  ///< one for each process, and the number of all rows
  int rank = 0;

  static Partition even(std::int64_t rows, int rank, int processes) {
    constexpr std::int64_t kBlock = spectral::kRowsPerSum;
    Partition out{.begins = {}, .rank = rank};
    const std::int64_t blocks = (rows + kBlock - 1) / kBlock;
    for (std::int64_t p = 0; p <= processes; ++p) {
      out.begins.push_back(std::min(rows, blocks * p / processes * kBlock));
    }
    return out;
  }

  std::int64_t begin() const { return begins[rank]; }
  std::int64_t end() const { return begins[rank + 1]; }
  std::int64_t own() const { return end() - begin(); }
  std::int64_t all() const { return begins.back(); }
  bool holds(std::int64_t row) const { return row >= begin() && row < end(); }
  int owner(std::int64_t row) const {
    return static_cast<int>(std::upper_bound(begins.begin(), begins.end(), row) - begins.begin()) - 1;
  }
};

}  // namespace parsimony::distributed
