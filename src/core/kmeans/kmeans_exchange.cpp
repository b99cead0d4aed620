#include "core/kmeans/kmeans_exchange.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace parsimony {
namespace {

constexpr int kPowerIterations = 5;
constexpr int kHalvingIterations = 10;

struct Halves {
  double gain = 0;  // fall of Σ w ‖x − c‖²
  std::array<std::vector<float>, 2> centroids;
};

struct Pair {
  double cost = 0;
  std::int32_t a = 0, b = 0;
};

// The points of one cluster, relative to its mean.
class Cluster {
 public:
  Cluster(MatrixView<const float> points, std::span<const float> weights,
          std::span<const std::int32_t> members, std::span<const double> mean)
      : rows_(std::ssize(members), points.cols), weights_(members.size(), 1.0) {
    for (std::int64_t i = 0; i < rows_.rows(); ++i) {
      const float* x = points.row_data(members[i]);
      for (std::int64_t j = 0; j < points.cols; ++j) rows_(i, j) = static_cast<float>(x[j] - mean[j]);
      if (!weights.empty()) weights_[i] = weights[members[i]];
    }
  }

  // The sign along the principal direction, then Lloyd's iterations with two centroids. With the mean at 0,
  // halves of the weights W_0 and W_1 and the sums s and −s, the objective falls by ‖s‖² (1/W_0 + 1/W_1).
  Halves halve() const {
    const std::int64_t d = rows_.cols();
    std::vector<double> normal = principal_direction();
    std::vector<double> sum(d);
    double offset = 0, weight = 0, gain = 0;
    const double total = std::accumulate(weights_.begin(), weights_.end(), 0.0);
    for (int iteration = 0; iteration < kHalvingIterations; ++iteration) {
      std::fill(sum.begin(), sum.end(), 0.0);
      weight = 0;
      for (std::int64_t i = 0; i < rows_.rows(); ++i) {
        if (project(i, normal) <= offset) continue;
        weight += weights_[i];
        for (std::int64_t j = 0; j < d; ++j) sum[j] += weights_[i] * rows_(i, j);
      }
      if (!(weight > 0) || !(total - weight > 0)) return {};
      const double squares = std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0);
      const double found = squares * (1 / weight + 1 / (total - weight));
      if (!(found > gain * (1 + 1e-6))) break;
      gain = found;
      // The plane half way between s / W_0 and −s / W_1.
      normal = sum;
      offset = squares * (1 / weight - 1 / (total - weight)) / 2;
    }
    Halves out{.gain = gain, .centroids = {std::vector<float>(d), std::vector<float>(d)}};
    for (std::int64_t j = 0; j < d; ++j) {
      out.centroids[0][j] = static_cast<float>(sum[j] / weight);
      out.centroids[1][j] = static_cast<float>(-sum[j] / (total - weight));
    }
    return out;
  }

 private:
  double project(std::int64_t i, std::span<const double> direction) const {
    const auto row = rows_.row(i);
    return std::inner_product(row.begin(), row.end(), direction.begin(), 0.0);
  }

  std::vector<double> principal_direction() const {
    std::int64_t farthest = 0;
    double most = -1;
    for (std::int64_t i = 0; i < rows_.rows(); ++i) {
      const auto row = rows_.row(i);
      const double norm2 = weights_[i] * std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
      if (norm2 > most) {
        most = norm2;
        farthest = i;
      }
    }
    std::vector<double> direction(rows_.row(farthest).begin(), rows_.row(farthest).end());
    for (int iteration = 0; iteration < kPowerIterations; ++iteration) {
      std::vector<double> next(direction.size());
      double norm2 = 0;
      for (std::int64_t i = 0; i < rows_.rows(); ++i) {
        const double along = weights_[i] * project(i, direction);
        for (std::size_t j = 0; j < next.size(); ++j)
          next[j] += along * rows_(i, static_cast<std::int64_t>(j));
      }
      for (const double v : next) norm2 += v * v;
      if (!(norm2 > 0)) break;
      for (double& v : next) v /= std::sqrt(norm2);
      direction = std::move(next);
    }
    return direction;
  }

  Matrix<float> rows_;
  std::vector<double> weights_;
};

}  // namespace

std::optional<Matrix<float>> exchange_clusters(MatrixView<const float> points, std::span<const float> weights,
                                               std::span<const float> shift,
                                               std::span<const std::int32_t> labels, std::int64_t k,
                                               double least, const Context& context) {
  const std::int64_t n = points.rows, d = points.cols;
  std::vector<std::int64_t> first(k + 1);
  for (const std::int32_t label : labels) ++first[label + 1];
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<std::int32_t> members(n);
  {
    std::vector<std::int64_t> next(first.begin(), first.end() - 1);
    for (std::int64_t i = 0; i < n; ++i) members[next[labels[i]]++] = static_cast<std::int32_t>(i);
  }

  Matrix<double> means(k, d);
  std::vector<double> weight(k);
  std::vector<Halves> halves(k);
  context.for_blocks(k, 1, [&](std::int64_t c, std::int64_t) {
    const std::span<const std::int32_t> own(members.data() + first[c], first[c + 1] - first[c]);
    const auto mean = means.row(c);
    for (const std::int32_t i : own) {
      const double w = weights.empty() ? 1.0 : weights[i];
      weight[c] += w;
      for (std::int64_t j = 0; j < d; ++j) mean[j] += w * points(i, j);
    }
    if (!(weight[c] > 0)) return;
    for (double& v : mean) v /= weight[c];
    halves[c] = Cluster(points, weights, own, mean).halve();
  });
  if (std::find(weight.begin(), weight.end(), 0.0) != weight.end()) return std::nullopt;  // no mean to unite

  std::vector<Pair> pairs(k);  // each cluster with the cluster that it unites with at the least cost
  context.for_blocks(k, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t a = begin; a < end; ++a) {
      pairs[a].cost = std::numeric_limits<double>::infinity();
      for (std::int64_t b = 0; b < k; ++b) {
        if (b == a) continue;
        double squares = 0;
        for (std::int64_t j = 0; j < d; ++j) {
          squares += (means(a, j) - means(b, j)) * (means(a, j) - means(b, j));
        }
        const double cost = squares * weight[a] * weight[b] / (weight[a] + weight[b]);
        if (cost < pairs[a].cost) {
          pairs[a] = {cost, static_cast<std::int32_t>(a), static_cast<std::int32_t>(b)};
        }
      }
    }
  });
  std::vector<std::int32_t> by_gain(k);
  std::iota(by_gain.begin(), by_gain.end(), 0);
  std::stable_sort(by_gain.begin(), by_gain.end(),
                   [&](std::int32_t a, std::int32_t b) { return halves[a].gain > halves[b].gain; });
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& x, const Pair& y) { return x.cost < y.cost; });

  std::vector<char> touched(k);
  std::int64_t exchanged = 0;
  for (const std::int32_t split : by_gain) {
    if (touched[split]) continue;
    const auto fits = [&](const Pair& p) {
      return !touched[p.a] && !touched[p.b] && p.a != split && p.b != split;
    };
    const auto found = std::find_if(pairs.begin(), pairs.end(), fits);
    if (found == pairs.end() || !(halves[split].gain - found->cost > least)) break;
    const double all = weight[found->a] + weight[found->b];
    for (std::int64_t j = 0; j < d; ++j) {
      means(found->a, j) =
          (weight[found->a] * means(found->a, j) + weight[found->b] * means(found->b, j)) / all;
      const double middle = means(split, j);
      means(split, j) = middle + halves[split].centroids[0][j];
      means(found->b, j) = middle + halves[split].centroids[1][j];
    }
    touched[split] = touched[found->a] = touched[found->b] = 1;
    ++exchanged;
  }
  if (exchanged == 0) return std::nullopt;
  Matrix<float> out(k, d);
  for (std::int64_t c = 0; c < k; ++c) {
    for (std::int64_t j = 0; j < d; ++j) out(c, j) = static_cast<float>(means(c, j) - shift[j]);
  }
  return out;
}

}  // namespace parsimony
