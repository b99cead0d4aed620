// Greedy merges of clusters until k are left.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/partition/network.hpp"

namespace parsimony::partition {

/// The gain of a merge of two clusters a and b.
enum class MergeGain {
  modularity,     ///< w_ab − γ vol_a vol_b / 2m
  normalized_cut  ///< in_ab / vol_ab − in_a / vol_a − in_b / vol_b, the fall of the normalised cut less 1
};

constexpr auto names_of(MergeGain) {
  using enum MergeGain;
  return enum_names<MergeGain>({{modularity, "modularity"}, {normalized_cut, "normalized_cut"}});
}

struct MergeOptions {
  std::int64_t clusters = 8;               ///< k, exactly
  MergeGain gain = MergeGain::modularity;  ///< normalized_cut for many clusters into few, before local moves
  double resolution = 1;                   ///< γ of modularity
};

template <OptionsOf<MergeOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"clusters", "number of clusters k", 1, 2147483647}, options.clusters);
  visit(Field{"gain", "what a merge gains"}, options.gain);
  visit(Field{"resolution", "resolution of modularity", 0, 1e30}, options.resolution);
}

/// Merges clusters, each a node of the network (an aggregate), two by two until k are left, always the two of
/// largest gain [clauset2004finding]. Besides clusters that share an edge, the two of smallest volume are
/// compared, so that small components are merged too. Clusters without volume (isolated nodes) all go to the
/// largest cluster, unless k exceeds the number of others: they hold none of the k as long as any other
/// cluster can.
///
/// Returns the cluster of every node, 0..k−1, none empty, numbered by their first node. O(E log² E) time by
/// modularity, which looks again only at the neighbours of the smaller cluster; the normalised cut looks at
/// all neighbours of a merged cluster. Where hubs would make that O(N²), at sixteen looks per edge, the order
/// becomes approximate: a merge is then taken if its gain is within a tenth of the largest. O(E) memory.
/// Sequential; the result depends on the network and the options alone. Throws invalid_argument (options out
/// of range, more clusters than nodes) and cancelled.
std::vector<std::int32_t> merge_clusters(const NetworkView& network, const MergeOptions& options,
                                         const Context& context = Context{});

}  // namespace parsimony::partition
