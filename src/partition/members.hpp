// The nodes of every cluster.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace parsimony::partition {

/// nodes[offsets[r] .. offsets[r + 1]) are those of cluster r.
struct Members {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> nodes;

  std::span<const std::int32_t> of(std::int64_t cluster) const {
    return std::span(nodes).subspan(offsets[cluster], offsets[cluster + 1] - offsets[cluster]);
  }
};

/// Within a cluster the nodes keep their order, ascending or that of the permutation `order`. A counting
/// sort: O(N + clusters).
Members members_of(std::span<const std::int32_t> labels, std::int64_t clusters,
                   std::span<const std::int32_t> order = {});

}  // namespace parsimony::partition
