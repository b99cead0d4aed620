// The nodes in a random order.
#pragma once

#include <cstdint>
#include <vector>

namespace parsimony::partition {

/// A permutation of 0..count−1 that depends on (count, seed) alone: O(count), and no sort.
std::vector<std::int32_t> shuffled_order(std::int64_t count, std::uint64_t seed);

}  // namespace parsimony::partition
