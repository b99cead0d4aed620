#include "core/kmeans/lloyd.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <numeric>
#include <span>
#include <utility>

#include "core/kmeans/centroid_groups.hpp"
#include "kernels/assigned_points.hpp"
#include "kernels/hamerly_bounds.hpp"
#include "kernels/nearest_centroid.hpp"

namespace parsimony {
namespace {

constexpr std::int64_t kRun = 16 * kernels::kTile;  // points whose objective is one sum
constexpr std::int64_t kSmallestBlock = 4 * kRun;
constexpr float kUnderflow = 0x1p-110f;   // above any sum of products below the smallest float
constexpr std::int64_t kMostBlocks = 64;  // each has its own sums: k d float64

// One run. lower_[g n + i] is a lower bound on the distance from point i to every centroid of group g except
// its own. It falls by the moves of the centroids; the distance to the own centroid is computed in every
// assignment, as the objective needs it anyway. A group is skipped if none of its centroids can be the
// nearest even if each score is off by its rounding error, so that bounds never change a result. A point that
// is compared with any group is also compared with the group of its own centroid: then the best of the
// computed scores is the best of all, and the bounds of the groups that the point leaves and enters are new.
class Lloyd {
 public:
  Lloyd(const LloydProblem& problem, Matrix<float> centroids, const Context& context)
      : problem_(problem),
        context_(context),
        n_(problem.points.rows),
        d_(problem.points.cols),
        k_(centroids.rows()),
        chunk_(d_ <= 16 ? 4 * kRun : kRun),
        block_(std::max(kSmallestBlock, ((n_ + kMostBlocks - 1) / kMostBlocks + kRun - 1) / kRun * kRun)),
        blocks_((n_ + block_ - 1) / block_),
        error_{static_cast<float>(d_ + 8) * 0x1p-23f, 0, kUnderflow},
        groups_(group_centroids(centroids, problem.bounds ? kCentroidGroups : 1, context)),
        by_group_(k_, d_),
        half_norms_by_group_(k_),
        norm_(n_),
        distance_(n_),
        lower_(groups_.groups() * n_),
        nearest_other_(k_),
        sizes_(k_),
        weights_(k_),
        sums_(k_, d_),
        partial_(blocks_) {
    out_.centroids = std::move(centroids);
    out_.labels.assign(n_, -1);
    assigned_centroids_ = out_.centroids;
  }

  LloydResult run() {
    for (;; ++out_.iterations) {
      const std::int64_t changed = assign();
      const double objective = out_.history.back();
      const std::size_t count = out_.history.size();
      if (changed == 0 || (count > 1 && out_.history[count - 2] - objective <=
                                            problem_.tolerance * out_.history[count - 2])) {
        out_.converged = true;
        break;
      }
      if (out_.iterations == problem_.max_iterations) break;
      move_centroids();
    }
    return std::move(out_);
  }

 private:
  struct Partial {
    Matrix<double> sums;
    std::vector<double> weights;
    std::vector<std::int64_t> sizes;
    double objective = 0;
    std::int64_t evaluated = 0;
    std::int64_t changed = 0;

    void clear(std::int64_t k, std::int64_t d) {
      if (sums.rows() == 0) sums = Matrix<double>(k, d);
      std::fill_n(sums.data(), sums.size(), 0.0);
      weights.assign(k, 0.0);
      sizes.assign(k, 0);
      objective = 0;
      evaluated = changed = 0;
    }
  };

  // Scratch of one chunk.
  struct Chunk {
    Chunk(std::int64_t points, std::int64_t d, std::int32_t groups)
        : tiles(points, d), others(groups * points), new_distance(points), order(points, groups) {
      for (auto* ids : {&compare, &nearest, &switched, &switched_label}) ids->resize(points);
    }
    Matrix<float> tiles;
    std::vector<float> others, new_distance;
    std::vector<std::int32_t> compare, nearest, switched, switched_label;
    PointsBySet order;
  };

  kernels::PointRows rows_from(std::int64_t begin, const std::int32_t* rows = nullptr) const {
    return {problem_.points.row_data(begin), problem_.points.stride, d_, problem_.shift.data(), rows};
  }

  // Labels, distances, sums and objective for the current centroids; returns the number of changed labels.
  std::int64_t assign() {
    half_norms_ = half_norms(out_.centroids);
    error_.highest_half_norm = *std::max_element(half_norms_.begin(), half_norms_.end());
    for (std::int64_t row = 0; row < k_; ++row) {
      const std::int32_t c = groups_.index[row];
      std::copy_n(out_.centroids.row(c).data(), d_, by_group_.row(row).data());
      half_norms_by_group_[row] = half_norms_[c];
    }
    const bool first = out_.history.empty();
    if (problem_.bounds && !first) update_bounds();
    context_.for_blocks(n_, block_, [&](std::int64_t begin, std::int64_t end) {
      Partial& partial = partial_[begin / block_];
      partial.clear(k_, d_);
      std::unique_ptr<Chunk> scratch = take_scratch();
      for (std::int64_t at = begin; at < end; at += chunk_) {
        const std::int64_t stop = std::min(at + chunk_, end);
        assign_chunk(at, stop - at, first, *scratch, partial);
        add_points(at, stop - at, partial);
        add_objective(at, stop - at, partial.objective);
      }
      give_back(std::move(scratch));
    });
    std::int64_t changed = 0;
    for (const Partial& partial : partial_) {
      changed += partial.changed;
      out_.evaluated += partial.evaluated;
    }
    add_partials();
    std::copy_n(out_.centroids.data(), out_.centroids.size(), assigned_centroids_.data());
    if (std::find(sizes_.begin(), sizes_.end(), 0) != sizes_.end()) {
      changed += fill_empty_clusters();
      context_.for_blocks(n_, block_, [&](std::int64_t begin, std::int64_t end) {
        Partial& partial = partial_[begin / block_];
        partial.clear(k_, d_);
        add_points(begin, end - begin, partial);
        partial.objective = objective_of(begin, end - begin);
      });
      add_partials();
    }
    out_.history.push_back(std::accumulate(partial_.begin(), partial_.end(), 0.0,
                                           [](double sum, const Partial& p) { return sum + p.objective; }));
    return changed;
  }

  // Scratch is kept from block to block: memory fresh from the system costs more than what is done in it.
  std::unique_ptr<Chunk> take_scratch() {
    const std::lock_guard lock(scratch_mutex_);
    if (scratch_.empty()) {
      const std::int64_t points =
          std::min(chunk_, (n_ + kernels::kTile - 1) / kernels::kTile * kernels::kTile);
      return std::make_unique<Chunk>(points, d_, groups_.groups());
    }
    std::unique_ptr<Chunk> out = std::move(scratch_.back());
    scratch_.pop_back();
    return out;
  }

  void give_back(std::unique_ptr<Chunk> chunk) {
    const std::lock_guard lock(scratch_mutex_);
    scratch_.push_back(std::move(chunk));
  }

  void assign_chunk(std::int64_t begin, std::int64_t count, bool first, Chunk& chunk, Partial& partial) {
    std::int32_t* labels = out_.labels.data() + begin;
    float* distance = distance_.data() + begin;
    float* norm = norm_.data() + begin;
    float* lower = lower_.data() + begin;
    const kernels::PointRows points = rows_from(begin);
    const std::int32_t every_group = (1 << groups_.groups()) - 1;
    if (first) std::fill_n(labels, count, 0);  // any: only for the norms
    kernels::assigned_distances(points, count, out_.centroids.data(), labels, distance,
                                first ? norm : nullptr);
    if (first || !problem_.bounds) {
      std::fill_n(chunk.compare.begin(), count, every_group);
    } else {
      kernels::groups_to_compare(error_, moves_.view(groups_, nearest_other_.data()), labels, distance, norm,
                                 count, lower, n_, chunk.compare.data());
    }
    chunk.order.sort({chunk.compare.data(), static_cast<std::size_t>(count)});
    const std::span<const std::int32_t> pending = chunk.order.points();
    const std::int64_t count_pending = std::ssize(pending), stride = std::ssize(chunk.compare);
    const std::int64_t tiles = (count_pending + kernels::kTile - 1) / kernels::kTile;
    kernels::pack_tiles(rows_from(begin, pending.data()), count_pending, chunk.tiles.data());
    kernels::nearest_in_groups(chunk.tiles.data(), tiles, d_,
                               {by_group_.data(), half_norms_by_group_.data(), groups_.index.data(),
                                groups_.begin.data(), groups_.groups()},
                               chunk.order.sets(), chunk.nearest.data(), chunk.others.data(), stride);
    for (const auto [set, from, to] : chunk.order.ranges()) {
      for (std::int32_t g = 0; g < groups_.groups(); ++g) {
        if ((set >> g & 1) == 0) continue;
        float* others = chunk.others.data() + g * stride;
        kernels::runner_up_distances(error_, pending.data() + from, norm, others + from, to - from,
                                     others + from);
        for (std::int64_t p = from; p < to; ++p) lower[g * n_ + pending[p]] = others[p];
        partial.evaluated += (to - from) * (groups_.begin[g + 1] - groups_.begin[g]);
      }
    }
    std::int64_t switched = 0;
    for (std::int64_t p = 0; p < count_pending; ++p) {
      const std::int32_t t = pending[p];
      chunk.switched[switched] = t;
      chunk.switched_label[switched] = chunk.nearest[p];
      switched += chunk.nearest[p] != labels[t];
    }
    // A score tells which centroid is nearest, a distance by how much. A label changes only if the distance
    // falls, so that rounding cannot raise the objective, nor move a point between equal centroids for ever.
    kernels::assigned_distances(rows_from(begin, chunk.switched.data()), switched, out_.centroids.data(),
                                chunk.switched_label.data(), chunk.new_distance.data(), nullptr);
    for (std::int64_t s = 0; s < switched; ++s) {
      const std::int32_t t = chunk.switched[s];
      if (first || chunk.new_distance[s] < distance[t]) {
        labels[t] = chunk.switched_label[s];
        distance[t] = chunk.new_distance[s];
        ++partial.changed;
      } else {
        for (std::int32_t g = 0; g < groups_.groups(); ++g) lower[g * n_ + t] = 0;
      }
    }
    if (first) partial.changed += count;
  }

  void add_points(std::int64_t begin, std::int64_t count, Partial& partial) const {
    const std::int32_t* labels = out_.labels.data() + begin;
    const float* weights = problem_.weights.empty() ? nullptr : problem_.weights.data() + begin;
    kernels::accumulate(rows_from(begin), count, labels, weights, partial.sums.data());
    for (std::int64_t t = 0; t < count; ++t) {
      ++partial.sizes[labels[t]];
      if (weights) partial.weights[labels[t]] += weights[t];
    }
  }

  double objective_of(std::int64_t begin, std::int64_t count) const {
    double sum = 0;
    for (std::int64_t i = begin; i < begin + count; ++i)
      sum += (problem_.weights.empty() ? 1.0 : problem_.weights[i]) * distance_[i];
    return sum;
  }

  // objective_of() runs of kRun points, added to `sum` in turn; four of them at once, as an addition waits
  // for the one before it.
  void add_objective(std::int64_t begin, std::int64_t count, double& sum) const {
    const std::int64_t end = begin + count;
    for (; problem_.weights.empty() && begin + 4 * kRun <= end; begin += 4 * kRun) {
      const float* distance = distance_.data() + begin;
      double first = 0, second = 0, third = 0, fourth = 0;
      for (std::int64_t t = 0; t < kRun; ++t) {
        first += distance[t];
        second += distance[t + kRun];
        third += distance[t + 2 * kRun];
        fourth += distance[t + 3 * kRun];
      }
      for (const double part : {first, second, third, fourth}) sum += part;
    }
    for (; begin < end; begin += kRun) sum += objective_of(begin, std::min(kRun, end - begin));
  }

  // Measures the moves of the centroids since the last assignment, and the distance of each to the nearest
  // other one.
  void update_bounds() {
    moves_.measure(groups_, assigned_centroids_, out_.centroids);
    const std::vector<float> zero(d_);
    context_.for_blocks(k_, kernels::kTile, [&](std::int64_t begin, std::int64_t end) {
      Matrix<float> tile(kernels::kTile, d_);
      std::array<float, kernels::kTile> best, second;
      std::array<std::int32_t, kernels::kTile> nearest;
      kernels::pack_tiles({out_.centroids.row(begin).data(), d_, d_, zero.data()}, end - begin, tile.data());
      kernels::nearest_centroid(tile.data(), 1, d_, out_.centroids.data(), half_norms_.data(), k_,
                                nearest.data(), best.data(), second.data());
      std::array<float, kernels::kTile> norm;
      for (std::int64_t c = begin; c < end; ++c) norm[c - begin] = 2 * half_norms_[c];
      std::iota(nearest.begin(), nearest.end(), 0);
      kernels::runner_up_distances(error_, nearest.data(), norm.data(), second.data(), end - begin,
                                   nearest_other_.data() + begin);  // the best is itself
    });
  }

  void add_partials() {
    context_.for_blocks(k_, 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t c = begin; c < end; ++c) {
        const auto sum = sums_.row(c);
        std::fill(sum.begin(), sum.end(), 0.0);
        weights_[c] = 0;
        sizes_[c] = 0;
        for (const Partial& partial : partial_) {
          const auto more = partial.sums.row(c);
          for (std::int64_t j = 0; j < d_; ++j) sum[j] += more[j];
          sizes_[c] += partial.sizes[c];
          weights_[c] +=
              problem_.weights.empty() ? static_cast<double>(partial.sizes[c]) : partial.weights[c];
        }
      }
    });
  }

  // Gives every empty cluster the point farthest from its centroid, among the points of clusters that have
  // several. Points with weight come first: a point without weight would leave the cluster without influence
  // on the objective. Returns the number of clusters filled.
  std::int64_t fill_empty_clusters() {
    std::vector<std::int32_t> order(n_);
    std::iota(order.begin(), order.end(), 0);
    const auto weightless = [&](std::int32_t i) {
      return !problem_.weights.empty() && problem_.weights[i] == 0;
    };
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      return weightless(a) != weightless(b) ? weightless(b) : distance_[a] > distance_[b];
    });
    auto taken = order.begin();
    std::int64_t filled = 0;
    for (std::int64_t c = 0; c < k_; ++c) {
      if (sizes_[c] > 0) continue;
      while (sizes_[out_.labels[*taken]] < 2) ++taken;
      const std::int32_t point = *taken++;
      for (std::int64_t j = 0; j < d_; ++j)
        out_.centroids(c, j) = problem_.points(point, j) - problem_.shift[j];
      --sizes_[out_.labels[point]];
      sizes_[c] = 1;
      out_.labels[point] = static_cast<std::int32_t>(c);
      distance_[point] = 0;
      for (std::int32_t g = 0; g < groups_.groups(); ++g) lower_[g * n_ + point] = 0;
      ++filled;
    }
    return filled;
  }

  void move_centroids() {
    for (std::int64_t c = 0; c < k_; ++c) {
      if (!(weights_[c] > 0)) continue;  // only points of weight 0: it stays
      for (std::int64_t j = 0; j < d_; ++j)
        out_.centroids(c, j) = static_cast<float>(sums_(c, j) / weights_[c]);
    }
  }

  const LloydProblem& problem_;
  const Context& context_;
  const std::int64_t n_, d_, k_;
  const std::int64_t
      chunk_;  // points compared at once: the more, the fewer lanes of their last tile are idle
  const std::int64_t block_, blocks_;
  // The relative part is twice the bound (d + 2) 2⁻²⁴ for a sum of d products, and a little more; 2 ‖x‖ ‖c‖
  // <= ‖x‖² + ‖c‖².
  kernels::ScoreError error_;
  const CentroidGrouping groups_;
  CentroidMoves moves_;
  Matrix<float> by_group_;  // the centroids in the order of groups_.index
  std::vector<float> half_norms_by_group_;
  std::vector<float> norm_;      // squared, of each point after the shift
  std::vector<float> distance_;  // squared, to its own centroid
  std::vector<float> lower_;
  std::vector<float> nearest_other_;
  std::vector<float> half_norms_;
  std::vector<std::int64_t> sizes_;
  std::vector<double> weights_;
  Matrix<double> sums_;
  std::vector<Partial> partial_;
  Matrix<float> assigned_centroids_;  // those of the last assignment
  LloydResult out_;
  std::mutex scratch_mutex_;
  std::vector<std::unique_ptr<Chunk>> scratch_;
};

}  // namespace

std::vector<float> half_norms(MatrixView<const float> centroids) {
  std::vector<float> out(centroids.rows);
  for (std::int64_t c = 0; c < centroids.rows; ++c) {
    double squared = 0;
    for (const float value : centroids.row(c)) squared += static_cast<double>(value) * value;
    out[c] = static_cast<float>(squared / 2);
  }
  return out;
}

LloydResult lloyd(const LloydProblem& problem, Matrix<float> centroids, const Context& context) {
  return Lloyd(problem, std::move(centroids), context).run();
}

}  // namespace parsimony
