// Greedy merges of clusters until k are left.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/partition/network.hpp"

namespace parsimony::partition {

/// What a merge of two clusters a and b gains.
enum class MergeGain {
  modularity,     ///< w_ab − γ vol_a vol_b / 2m
  normalized_cut  ///< in_ab / vol_ab − in_a / vol_a − in_b / vol_b: the normalised cut falls by one more
};

constexpr auto names_of(MergeGain) {
  using enum MergeGain;
  return enum_names<MergeGain>({{modularity, "modularity"}, {normalized_cut, "normalized_cut"}});
}

struct MergeOptions {
  std::int64_t clusters = 8;               ///< k, exactly
  MergeGain gain = MergeGain::modularity;  ///< the cut is for many clusters into few, before local moves
  double resolution = 1;                   ///< γ of modularity
};

template <OptionsOf<MergeOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"clusters", "number of clusters k", 1, 2147483647}, options.clusters);
  visit(Field{"gain", "what a merge gains"}, options.gain);
  visit(Field{"resolution", "resolution of modularity", 0, 1e30}, options.resolution);
}

/// Clusters, each a node of the network (an aggregate), are merged two by two, always the two of largest gain
/// [clauset2004finding], until k are left. Beside the clusters that share an edge, the two of smallest volume
/// are compared too, so that small components are merged where nothing else joins them; and clusters without
/// volume (isolated nodes) all go to the largest one, unless k is more than there are others: they never hold
/// one of the k as long as any other can.
///
/// Returns the cluster of every node, 0..k−1, none empty, numbered by their first node. O(E log² E) time by
/// modularity, as only the neighbours of the smaller cluster are looked at again; by the normalised cut all
/// neighbours of a merged cluster are. O(E) memory. Sequential, and a function of the network and the options
/// alone. Throws invalid_argument (options out of range, more clusters than nodes) and cancelled.
std::vector<std::int32_t> merge_clusters(const NetworkView& network, const MergeOptions& options,
                                         const Context& context = Context{});

}  // namespace parsimony::partition
