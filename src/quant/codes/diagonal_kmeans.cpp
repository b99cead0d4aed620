#include "quant/codes/diagonal_kmeans.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "kernels/nearest_centroid.hpp"
#include "parsimony/core/kmeans.hpp"

namespace parsimony::quant {
namespace {

constexpr std::int64_t kChunk = 16 * kernels::kTile;
constexpr std::int64_t kMostBlocks = 16;  // each has 2 k d sums

// Finds the nearest centroids of up to kChunk points by scores.
class Scores {
 public:
  Scores(MatrixView<const float> points, MatrixView<const float> importance)
      : points_(points),
        importance_(importance),
        d_(points.cols),
        rows_(kChunk, 2 * d_),
        tiles_(kChunk, 2 * d_),
        origin_(2 * d_) {}

  const std::int32_t* nearest(std::int64_t begin, std::int64_t count, const Matrix<float>& products) {
    for (std::int64_t t = 0; t < count; ++t) {
      const float *x = points_.row_data(begin + t), *a = importance_.row_data(begin + t);
      float* row = rows_.row(t).data();
      for (std::int64_t j = 0; j < d_; ++j) {
        row[j] = a[j] * x[j];
        row[d_ + j] = -0.5f * a[j];
      }
    }
    const std::vector<float> zero(products.rows());
    kernels::pack_tiles({rows_.data(), 2 * d_, 2 * d_, origin_.data()}, count, tiles_.data());
    kernels::nearest_centroid(tiles_.data(), (count + kernels::kTile - 1) / kernels::kTile, 2 * d_,
                              products.data(), zero.data(), products.rows(), nearest_.data(), best_.data(),
                              second_.data());
    return nearest_.data();
  }

  static Matrix<float> products_of(const Matrix<float>& centroids) {
    const std::int64_t d = centroids.cols();
    Matrix<float> out(centroids.rows(), 2 * d);
    for (std::int64_t c = 0; c < centroids.rows(); ++c) {
      for (std::int64_t j = 0; j < d; ++j) {
        out(c, j) = centroids(c, j);
        out(c, d + j) = centroids(c, j) * centroids(c, j);
      }
    }
    return out;
  }

 private:
  MatrixView<const float> points_, importance_;
  std::int64_t d_;
  Matrix<float> rows_, tiles_;
  std::vector<float> origin_;
  std::array<float, kChunk> best_, second_;
  std::array<std::int32_t, kChunk> nearest_;
};

class Lloyd {
 public:
  Lloyd(MatrixView<const float> points, MatrixView<const float> importance, Matrix<float> centroids,
        const Context& context)
      : points_(points),
        importance_(importance),
        context_(context),
        n_(points.rows),
        d_(points.cols),
        k_(centroids.rows()),
        block_(std::max(4 * kChunk, ((n_ + kMostBlocks - 1) / kMostBlocks + kChunk - 1) / kChunk * kChunk)),
        distance_(n_),
        sizes_(k_),
        partial_((n_ + block_ - 1) / block_) {
    out_.centroids = std::move(centroids);
    out_.labels.assign(n_, -1);
  }

  DiagonalKMeans run(int max_iterations) {
    for (;; ++out_.iterations) {
      const std::int64_t changed = assign();
      out_.history.push_back(objective());
      out_.converged = changed == 0;
      if (out_.converged || out_.iterations == max_iterations) break;
      move_centroids();
    }
    return std::move(out_);
  }

 private:
  struct Partial {
    Matrix<double> sums;  // k × 2 d: Σ a x, Σ a
    std::int64_t changed = 0;
  };

  double distance_to(std::int64_t i, std::int32_t label) const {
    const float *x = points_.row_data(i), *a = importance_.row_data(i);
    const float* c = out_.centroids.row(label).data();
    double sum = 0;
    for (std::int64_t j = 0; j < d_; ++j) {
      const double apart = static_cast<double>(x[j]) - c[j];
      sum += a[j] * apart * apart;
    }
    return sum;
  }

  std::int64_t assign() {
    const Matrix<float> products = Scores::products_of(out_.centroids);
    context_.for_blocks(n_, block_, [&](std::int64_t begin, std::int64_t end) {
      Partial& partial = partial_[begin / block_];
      partial.changed = 0;
      Scores scores(points_, importance_);
      for (std::int64_t at = begin; at < end; at += kChunk) {
        const std::int64_t count = std::min(kChunk, end - at);
        const std::int32_t* nearest = scores.nearest(at, count, products);
        for (std::int64_t t = 0; t < count; ++t) {
          const std::int64_t i = at + t;
          std::int32_t& label = out_.labels[i];
          const double there = distance_to(i, nearest[t]);
          if (label >= 0 && label != nearest[t]) {
            distance_[i] = distance_to(i, label);
            if (!(there < distance_[i])) continue;
          }
          partial.changed += label != nearest[t];
          label = nearest[t];
          distance_[i] = there;
        }
      }
    });
    std::fill(sizes_.begin(), sizes_.end(), 0);
    for (const std::int32_t label : out_.labels) ++sizes_[label];
    return std::accumulate(partial_.begin(), partial_.end(), fill_empty_clusters(),
                           [](std::int64_t sum, const Partial& p) { return sum + p.changed; });
  }

  std::int64_t fill_empty_clusters() {
    if (n_ < k_ || std::find(sizes_.begin(), sizes_.end(), 0) == sizes_.end()) return 0;
    std::vector<std::int64_t> order(n_);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return distance_[a] > distance_[b]; });
    auto taken = order.begin();
    std::int64_t filled = 0;
    for (std::int64_t c = 0; c < k_; ++c) {
      if (sizes_[c] > 0) continue;
      while (sizes_[out_.labels[*taken]] < 2) ++taken;
      const std::int64_t point = *taken++;
      if (!(distance_[point] > 0)) break;  // every point has a centroid at its place
      for (std::int64_t j = 0; j < d_; ++j) {
        if (importance_(point, j) > 0) out_.centroids(c, j) = points_(point, j);
      }
      --sizes_[out_.labels[point]];
      sizes_[c] = 1;
      out_.labels[point] = static_cast<std::int32_t>(c);
      distance_[point] = 0;
      ++filled;
    }
    return filled;
  }

  double objective() const {
    return context_.sum_blocks(n_, block_, [&](std::int64_t begin, std::int64_t end) {
      return std::accumulate(distance_.begin() + begin, distance_.begin() + end, 0.0);
    });
  }

  void move_centroids() {
    context_.for_blocks(n_, block_, [&](std::int64_t begin, std::int64_t end) {
      Matrix<double>& sums = partial_[begin / block_].sums;
      if (sums.rows() == 0) sums = Matrix<double>(k_, 2 * d_);
      std::fill_n(sums.data(), sums.size(), 0.0);
      for (std::int64_t i = begin; i < end; ++i) {
        const float *x = points_.row_data(i), *a = importance_.row_data(i);
        double* sum = sums.row(out_.labels[i]).data();
        for (std::int64_t j = 0; j < d_; ++j) {
          sum[j] += static_cast<double>(a[j]) * x[j];
          sum[d_ + j] += a[j];
        }
      }
    });
    for (std::int64_t c = 0; c < k_; ++c) {
      for (std::int64_t j = 0; j < d_; ++j) {
        double sum = 0, weight = 0;
        for (const Partial& partial : partial_) {
          sum += partial.sums(c, j);
          weight += partial.sums(c, d_ + j);
        }
        if (weight > 0) out_.centroids(c, j) = static_cast<float>(sum / weight);
      }
    }
  }

  MatrixView<const float> points_, importance_;
  const Context& context_;
  const std::int64_t n_, d_, k_;
  const std::int64_t block_;
  std::vector<double> distance_;
  std::vector<std::int64_t> sizes_;
  std::vector<Partial> partial_;
  DiagonalKMeans out_;
};

}  // namespace

DiagonalKMeans diagonal_kmeans(MatrixView<const float> points, MatrixView<const float> importance,
                               Matrix<float> centroids, int max_iterations, const Context& context) {
  return Lloyd(points, importance, std::move(centroids), context).run(max_iterations);
}

std::vector<std::int32_t> diagonal_nearest(MatrixView<const float> points, MatrixView<const float> importance,
                                           const Matrix<float>& centroids, const Context& context) {
  const Matrix<float> products = Scores::products_of(centroids);
  std::vector<std::int32_t> labels(points.rows);
  context.for_blocks(points.rows, 4 * kChunk, [&](std::int64_t begin, std::int64_t end) {
    Scores scores(points, importance);
    for (std::int64_t at = begin; at < end; at += kChunk) {
      const std::int64_t count = std::min(kChunk, end - at);
      std::copy_n(scores.nearest(at, count, products), count, labels.data() + at);
    }
  });
  return labels;
}

Matrix<float> rank_one_kmeans(MatrixView<const float> points, MatrixView<const float> importance,
                              std::int64_t clusters, int max_iterations, std::uint64_t seed,
                              const Context& context) {
  const std::int64_t n = points.rows, d = points.cols;
  std::vector<double> mass(d), mean(d);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) {
      mass[j] += importance(i, j);
      mean[j] += static_cast<double>(importance(i, j)) * points(i, j);
    }
  }
  std::vector<float> factor(d);  // b
  for (std::int64_t j = 0; j < d; ++j) {
    if (mass[j] > 0) mean[j] /= mass[j];
    factor[j] = static_cast<float>(std::sqrt(mass[j] / static_cast<double>(n)));
  }
  Matrix<float> scaled(n, d);
  std::vector<float> weights(n);
  for (std::int64_t i = 0; i < n; ++i) {
    double weight = 0;
    for (std::int64_t j = 0; j < d; ++j) {
      const float a = importance(i, j);
      scaled(i, j) = factor[j] * (a > 0 ? points(i, j) : static_cast<float>(mean[j]));
      if (factor[j] > 0) weight += a / (static_cast<double>(factor[j]) * factor[j]);
    }
    weights[i] = static_cast<float>(weight / static_cast<double>(d));
  }
  KMeansResult result =
      kmeans(scaled, weights,
             {.clusters = clusters, .max_iterations = max_iterations, .tolerance = 0, .seed = seed}, context);
  for (std::int64_t c = 0; c < clusters; ++c) {
    for (std::int64_t j = 0; j < d; ++j) {
      float& value = result.centroids(c, j);
      value = factor[j] > 0 ? value / factor[j] : 0.0f;
    }
  }
  return std::move(result.centroids);
}

}  // namespace parsimony::quant
