// The nodes that k-means sees.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace parsimony::cluster {

/// `count` distinct positions of `weights`, drawn without replacement with probabilities in proportion to the
/// weights of what is left [efraimidis2006weighted]; a weight of 0 is never drawn. Ascending. O(N) time, 16 N
/// bytes. Throws invalid_argument for a negative or non-finite weight, or fewer than `count` positive ones.
std::vector<std::int32_t> sample_without_replacement(std::span<const float> weights, std::int64_t count,
                                                     std::uint64_t seed = 0);

}  // namespace parsimony::cluster
