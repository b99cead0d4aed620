#include "partition/members.hpp"

namespace parsimony::partition {

Members members_of(std::span<const std::int32_t> labels, std::int64_t clusters,
                   std::span<const std::int32_t> order) {
  Members out;
  out.offsets.resize(clusters + 1);
  for (const std::int32_t label : labels) ++out.offsets[label + 1];
  for (std::int64_t r = 0; r < clusters; ++r) out.offsets[r + 1] += out.offsets[r];
  out.nodes.resize(labels.size());
  std::vector<std::int64_t> at(out.offsets.begin(), out.offsets.end() - 1);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::int32_t node = order.empty() ? static_cast<std::int32_t>(i) : order[i];
    out.nodes[at[labels[node]]++] = node;
  }
  return out;
}

}  // namespace parsimony::partition
