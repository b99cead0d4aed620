// Random samples of nodes, for k-means.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/processes.hpp"

namespace parsimony::cluster {

/// Draws `count` distinct positions of `weights` without replacement, each with a probability in proportion
/// to its share of the weights left [efraimidis2006weighted]; positions of weight 0 are never drawn. The
/// result ascends. O(N) time, 16 N bytes. Throws invalid_argument for a negative or non-finite weight, or
/// fewer than `count` positive weights.
std::vector<std::int32_t> sample_without_replacement(std::span<const float> weights, std::int64_t count,
                                                     std::uint64_t seed = 0);

/// The same when the weights are those of the positions from `first` on, and the processes hold the others.
/// Every process gets the whole sample.
std::vector<std::int32_t> sample_without_replacement(std::span<const float> weights, std::int64_t count,
                                                     std::uint64_t seed, std::int64_t first,
                                                     const Processes& processes);

}  // namespace parsimony::cluster
