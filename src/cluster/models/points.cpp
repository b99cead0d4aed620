#include "parsimony/cluster/points.hpp"

#include <algorithm>

namespace parsimony::cluster {

CompressiveOptions options_for_points(std::int64_t clusters, std::uint64_t seed) {
  CompressiveOptions options{.clusters = clusters, .features = 96, .order = 200, .seed = seed};
  options.samples = std::max<std::int64_t>(200 * clusters, 5000);
  return options;
}

}  // namespace parsimony::cluster
