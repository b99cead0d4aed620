// The resolution at which Leiden finds about k communities.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/partition/network.hpp"
#include "parsimony/partition/partition.hpp"

namespace parsimony::partition {

struct ResolutionSearchOptions {
  std::int64_t clusters = 8;  ///< k
  double most = 1.05;  ///< up to this many times k communities are accepted; merging more costs accuracy
  int probes = 4;      ///< most probes between two resolutions; one to three are usual
  std::uint64_t seed = 0;
};

template <OptionsOf<ResolutionSearchOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"clusters", "number of clusters k", 1, 2147483647}, options.clusters);
  visit(Field{"most", "communities that are near enough, as a multiple of k", 1, 1e9}, options.most);
  visit(Field{"probes", "probes between two resolutions at most", 0, 1000}, options.probes);
  visit(Field{"seed", "seed of the order of visits"}, options.seed);
}

struct ResolutionSearch {
  double resolution = 1;
  std::int64_t communities = 0;  ///< their number at that resolution, without those of volume 0
  Partition partition;           ///< the communities, after one descent
  bool enough = false;           ///< communities ≥ k; false: no resolution was found that gives as many
  std::vector<std::pair<double, std::int64_t>> probes;  ///< resolutions tried, and the communities they gave
};

/// Searches a resolution γ ≥ 1 with k to `most` · k communities, by runs of leiden() with one descent: first
/// at the γ of a planted partition into k equal clusters, then at three times that until there are enough,
/// then between the nearest on both sides. If the graph has more communities at γ = 1, the result is γ = 1:
/// below it, communities begin to unite across weak ties. O(E) time per probe. Throws invalid_argument for
/// options out of range, and cancelled.
ResolutionSearch resolution_search(const NetworkView& network, const ResolutionSearchOptions& options = {},
                                   const Context& context = Context{});

/// The same from known communities at γ = 1.
ResolutionSearch resolution_search(const NetworkView& network, Partition at_one,
                                   const ResolutionSearchOptions& options,
                                   const Context& context = Context{});

}  // namespace parsimony::partition
