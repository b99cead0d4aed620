#include "core/kmeans/kmeans_seeding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/assigned_points.hpp"
#include "kernels/nearest_centroid.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony {
namespace {

constexpr std::int64_t kSamplePerCluster = 256;
constexpr std::int64_t kSeedingBlock = 32 * kernels::kTile;

std::vector<std::int32_t> sample_points(std::int64_t n, std::span<const float> weights, std::int64_t limit,
                                        const RandomStream& stream) {
  std::vector<std::int32_t> candidates;
  candidates.reserve(n);
  for (std::int64_t i = 0; i < n; ++i) {
    if (weights.empty() || weights[i] > 0) candidates.push_back(static_cast<std::int32_t>(i));
  }
  const auto count = static_cast<std::int64_t>(candidates.size());
  if (count <= limit) return candidates;
  std::vector<std::int32_t> sample(limit);
  for (std::int64_t s = 0; s < limit; ++s) {
    const std::int64_t begin = count * s / limit, end = count * (s + 1) / limit;
    sample[s] = candidates[begin + stream.below(end - begin, s)];
  }
  return sample;
}

}  // namespace

Matrix<float> seed_centroids(MatrixView<const float> points, std::span<const float> weights,
                             std::span<const float> shift, std::int64_t k, std::uint64_t seed,
                             std::uint64_t restart, const Context& context) {
  const std::int64_t d = points.cols;
  const std::vector<std::int32_t> sample = sample_points(
      points.rows, weights, kSamplePerCluster * k, RandomStream(seed, "kmeans.seeding.sample", restart));
  const RandomStream draw(seed, "kmeans.seeding", restart);
  const auto m = static_cast<std::int64_t>(sample.size());
  const std::int64_t blocks = (m + kSeedingBlock - 1) / kSeedingBlock, padded = blocks * kSeedingBlock;

  Matrix<float> tiles(padded, d);
  std::vector<float> norm(padded), weight(padded, 0.0f);
  context.for_blocks(m, kSeedingBlock, [&](std::int64_t begin, std::int64_t end) {
    kernels::pack_tiles({points.data, points.stride, d, shift.data(), sample.data() + begin}, end - begin,
                        tiles.data() + begin * d);
    for (std::int64_t i = begin; i < end; ++i) {
      const float* x = points.row_data(sample[i]);
      for (std::int64_t j = 0; j < d; ++j) norm[i] += (x[j] - shift[j]) * (x[j] - shift[j]);
      weight[i] = weights.empty() ? 1.0f : weights[sample[i]];
    }
  });

  const auto trials = static_cast<std::int64_t>(2 + std::log(static_cast<double>(k)));
  Matrix<float> candidates(trials, d), centroids(k, d);
  std::vector<float> half_norms(trials);
  std::vector<std::int64_t> candidate_rows(trials);
  std::vector<float> current(padded, std::numeric_limits<float>::max());
  Matrix<float> next(trials, padded);
  std::vector<double> block_costs(blocks * trials);  // cost of each block in each trial
  std::vector<double> block_cost(blocks);            // cost of each block with the centroids so far

  // The point at which the running sum of weight (first round) or weight · distance passes `target`.
  const auto locate = [&](double target, bool first) {
    const auto share = [&](std::int64_t i) {
      return first ? static_cast<double>(weight[i]) : static_cast<double>(weight[i]) * current[i];
    };
    std::int64_t block = 0, last = -1;
    while (block + 1 < blocks && target >= block_cost[block]) target -= block_cost[block++];
    for (std::int64_t i = block * kSeedingBlock; i < std::min(m, (block + 1) * kSeedingBlock); ++i) {
      if (share(i) <= 0) continue;
      last = i;
      target -= share(i);
      if (target < 0) break;
    }
    return last;  // −1: rounding led to a block where nothing is left
  };

  for (std::int64_t b = 0; b < blocks; ++b) {
    for (std::int64_t i = b * kSeedingBlock; i < (b + 1) * kSeedingBlock; ++i) block_cost[b] += weight[i];
  }
  for (std::int64_t c = 0; c < k; ++c) {
    double total = 0;
    for (const double cost : block_cost) total += cost;
    if (!(total > 0)) {  // every point is a centroid already: repeat the first
      std::copy_n(centroids.row(0).data(), d, centroids.row(c).data());
      continue;
    }
    const std::int64_t tried = c == 0 ? 1 : trials;
    for (std::int64_t t = 0; t < tried; ++t) {
      const std::int64_t at = std::max<std::int64_t>(0, locate(draw.uniform(c * trials + t) * total, c == 0));
      candidate_rows[t] = at;
      double norm2 = 0;
      for (std::int64_t j = 0; j < d; ++j) {
        const float value = points(sample[at], j) - shift[j];
        candidates(t, j) = value;
        norm2 += static_cast<double>(value) * value;
      }
      half_norms[t] = static_cast<float>(norm2 / 2);
    }
    context.for_blocks(padded, kSeedingBlock, [&](std::int64_t begin, std::int64_t) {
      kernels::candidate_distances(tiles.data() + begin * d, kSeedingBlock / kernels::kTile, d,
                                   norm.data() + begin, candidates.data(), half_norms.data(), tried,
                                   current.data() + begin, next.data() + begin, padded);
      for (std::int64_t t = 0; t < tried; ++t) {
        if (const std::int64_t own = candidate_rows[t]; own >= begin && own < begin + kSeedingBlock)
          next(t, own) = 0;
        block_costs[t * blocks + begin / kSeedingBlock] =
            kernels::weighted_sum(weight.data() + begin, next.data() + t * padded + begin, kSeedingBlock);
      }
    });
    std::int64_t best = 0;
    double best_cost = std::numeric_limits<double>::infinity();
    for (std::int64_t t = 0; t < tried; ++t) {
      double cost = 0;
      for (std::int64_t b = 0; b < blocks; ++b) cost += block_costs[t * blocks + b];
      if (cost < best_cost) {
        best_cost = cost;
        best = t;
      }
    }
    std::copy_n(block_costs.data() + best * blocks, blocks, block_cost.data());
    std::copy_n(next.row(best).data(), padded, current.data());
    std::copy_n(candidates.row(best).data(), d, centroids.row(c).data());
  }
  return centroids;
}

}  // namespace parsimony
