// The clusters that have an edge: those of nodes without edges have no volume.
#pragma once

#include <algorithm>
#include <cstdint>

#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

inline std::int64_t count_with_volume(const Partition& partition) {
  return std::count_if(partition.volume.begin(), partition.volume.end(), [](double v) { return v > 0; });
}

}  // namespace parsimony::partition
