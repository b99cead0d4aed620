#include "cluster/number_of_clusters/clusterwise_agreement.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "parsimony/core/matrix.hpp"

namespace parsimony::cluster {

double clusterwise_agreement(std::span<const std::int32_t> a, std::span<const std::int32_t> b,
                             std::int64_t k) {
  Matrix<std::int32_t> common(k, k);
  std::vector<std::int32_t> size_a(k), size_b(k);
  for (std::size_t i = 0; i < a.size(); ++i) {
    ++common(a[i], b[i]);
    ++size_a[a[i]];
    ++size_b[b[i]];
  }
  std::vector<double> best_a(k), best_b(k);
  for (std::int64_t r = 0; r < k; ++r) {
    for (std::int64_t c = 0; c < k; ++c) {
      const double jaccard = common(r, c) / static_cast<double>(size_a[r] + size_b[c] - common(r, c));
      best_a[r] = std::max(best_a[r], jaccard);
      best_b[c] = std::max(best_b[c], jaccard);
    }
  }
  const double mean = (std::accumulate(best_a.begin(), best_a.end(), 0.0) +
                       std::accumulate(best_b.begin(), best_b.end(), 0.0)) /
                      static_cast<double>(2 * k);
  const double chance = 1 / static_cast<double>(2 * k - 1);
  return (mean - chance) / (1 - chance);
}

}  // namespace parsimony::cluster
