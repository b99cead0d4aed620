#include "partition/shuffle.hpp"

#include <algorithm>
#include <bit>

#include "parsimony/core/random.hpp"

namespace parsimony::partition {

std::vector<std::int32_t> shuffled_order(std::int64_t count, std::uint64_t seed) {
  std::vector<std::int32_t> order;
  if (count <= 0) return order;
  order.reserve(count);
  // Odd factors and xors by the upper half are one to one on the numbers of `bits` bits. Numbers beyond the
  // nodes are left out, at most half of them.
  const int bits = std::max(2, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(count - 1))));
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  const RandomStream random(seed, "partition.order");
  constexpr int kRounds = 4;
  std::uint64_t factor[kRounds], offset[kRounds];
  for (int r = 0; r < kRounds; ++r) {
    factor[r] = random.bits(2 * r) | 1;
    offset[r] = random.bits(2 * r + 1);
  }
  for (std::uint64_t position = 0; position <= mask; ++position) {
    std::uint64_t x = position;
    for (int r = 0; r < kRounds; ++r) {
      x = (x * factor[r] + offset[r]) & mask;
      x ^= x >> ((bits + 1) / 2);
    }
    if (x < static_cast<std::uint64_t>(count)) order.push_back(static_cast<std::int32_t>(x));
  }
  return order;
}

}  // namespace parsimony::partition
