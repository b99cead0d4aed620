// LayerDrop: blocks of a network are skipped at random in training, and others pruned [fan2020reducing].
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::models {

/// Whether each of so many blocks is skipped in the step of that number: a function of the arguments alone.
inline std::vector<bool> draw_dropped_blocks(std::int64_t blocks, double rate, std::uint64_t seed,
                                             std::string_view stream, std::int64_t step) {
  const RandomStream draws(seed, stream, static_cast<std::uint64_t>(step));
  std::vector<bool> dropped(blocks);
  for (std::int64_t i = 0; i < blocks; ++i) dropped[i] = draws.uniform(i) < rate;
  return dropped;
}

/// Number of blocks of a network with so many layers.
inline std::int64_t block_count(std::int64_t layers, bool share_adjacent) {
  return share_adjacent ? (layers + 1) / 2 : layers;
}

/// Layers of the blocks that are kept of a network with so many layers. With an odd number of shared layers
/// the last one has its own block. Throws invalid_argument if `keep` is empty, not increasing or out of
/// range.
inline std::int64_t layers_of_blocks(std::span<const std::int64_t> keep, std::int64_t layers,
                                     bool share_adjacent) {
  const std::int64_t blocks = block_count(layers, share_adjacent);
  std::int64_t last = -1, left = 0;
  for (const std::int64_t block : keep) {
    if (block <= last || block >= blocks) {
      refuse(fmt::format("keep: block {} after {}; must be numbers below {} in increasing order", block, last,
                         blocks));
    }
    last = block;
    left += share_adjacent && 2 * block + 1 < layers ? 2 : 1;
  }
  if (keep.empty()) refuse("keep: no block; at least one must stay");
  return left;
}

}  // namespace parsimony::models
