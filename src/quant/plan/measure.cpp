#include "quant/plan/measure.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "parsimony/core/random.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/codes/importance.hpp"
#include "quant/codes/weight_error.hpp"
#include "quant/plan/compress_weight.hpp"

namespace parsimony::quant {
namespace {

constexpr std::int64_t kIntegerValues = std::int64_t{1} << 15;
constexpr std::int64_t kGroupedValues = std::int64_t{1} << 13;  // their search takes longer
constexpr std::int64_t kLeastOutputs = 8;
constexpr std::int64_t kMostBlocks = std::int64_t{1} << 18;
constexpr std::int64_t kLeastBlocks = std::int64_t{1} << 15;
constexpr std::int64_t kBlocksPerCentroid = 64;
constexpr std::int64_t kMostMeasuredCentroids = 256;
constexpr int kMeasuredIterations = 8;

// One number of each of `count` equal runs of 0 … total − 1, in rising order.
std::vector<std::int64_t> draw(std::int64_t total, std::int64_t count, const RandomStream& random) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t begin = total / count * i + total % count * i / count;
    const std::int64_t end = total / count * (i + 1) + total % count * (i + 1) / count;
    out[i] = begin + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(end - begin),
                                                            static_cast<std::uint64_t>(i)));
  }
  return out;
}

bool has_groups(const WeightRecipe& recipe) {
  return recipe.group > 0 || recipe.levels != LevelKind::uniform;
}

// Some outputs of a weight, for integers with groups or levels, or for those without.
class OutputSample {
 public:
  OutputSample(const WeightView& weight, bool grouped, const CompressOptions& options) {
    const std::int64_t outputs = weight.shape[0], n = std::ssize(weight.values) / outputs;
    const std::int64_t values = grouped ? kGroupedValues : kIntegerValues;
    const std::int64_t count = std::min(outputs, std::max(kLeastOutputs, (values + n - 1) / n));
    view_ = weight;
    const Importance importance(weight);
    if (importance.given()) {
      mean_importance_ = 0;
      for (std::int64_t i = 0; i < n; ++i) mean_importance_ += importance(0, i) / static_cast<double>(n);
    }
    double of_all = 0, of_drawn = 0;
    // Errors grow with the square of the range of an output where it has one scale, otherwise with its
    // energy.
    const auto energy_of = [&](std::int64_t o) {
      double energy = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const double value = weight.values[o * n + i];
        energy += importance(o, i) * value * value;
      }
      return energy;
    };
    const auto square_range_of = [&](std::int64_t o) {
      const auto [low, high] =
          std::minmax_element(weight.values.begin() + o * n, weight.values.begin() + (o + 1) * n);
      const double width = static_cast<double>(*high) - *low;
      double counts = 0;
      if (importance.given()) {
        for (std::int64_t i = 0; i < n; ++i) counts += importance(o, i);
      } else {
        counts = static_cast<double>(n);
      }
      return width * width * counts;
    };
    if (count == outputs) return;
    const std::vector<std::int64_t> drawn =
        draw(outputs, count, RandomStream(options.seed, "measure.outputs"));
    const bool gather = weight.importance.size() == weight.values.size();
    for (std::int64_t o = 0, next = 0; o < outputs; ++o) {
      const double error = grouped ? energy_of(o) : square_range_of(o);
      of_all += error;
      if (next == count || drawn[next] != o) continue;
      ++next;
      of_drawn += error;
      values_.insert(values_.end(), weight.values.begin() + o * n, weight.values.begin() + (o + 1) * n);
      if (!gather) continue;
      importance_.insert(importance_.end(), weight.importance.begin() + o * n,
                         weight.importance.begin() + (o + 1) * n);
    }
    shape_.assign(weight.shape.begin(), weight.shape.end());
    shape_[0] = count;
    view_.values = values_;
    view_.shape = shape_;
    if (gather) view_.importance = importance_;
    if (of_drawn > 0) ratio_ = of_all / of_drawn;
  }

  double error(const WeightRecipe& recipe, const CompressOptions& options, const ErrorFeedback* feedback,
               const Context& context) const {
    QuantizedTensor codes = quantize_weight(view_, recipe, options, context);
    if (feedback == nullptr) return ratio_ * weight_error(view_, decode(codes, context)).error;
    feedback->apply(view_, codes, context);
    return ratio_ * mean_importance_ * feedback->output_error(view_, decode(codes, context));
  }

 private:
  std::vector<float> values_, importance_;
  std::vector<std::int64_t> shape_;
  WeightView view_;
  double ratio_ = 1;
  double mean_importance_ = 1;  // over the values of an output
};

// Blocks of a weight, drawn from all: at most kMostBlocks, in the order of their energy Σ a w², so that equal
// runs of them have the shares of large and small blocks that the weight has.
class BlockSample {
 public:
  BlockSample(const WeightView& weight, const WeightRecipe& recipe, const CompressOptions& options)
      : d_(recipe.block_size) {
    const BlockGrid grid = block_grid(weight.shape, recipe.block_size, recipe.layout);
    const std::vector<std::int64_t> offsets = block_offsets(grid, {});
    const std::int64_t each = grid.blocks_per_output(), n = grid.values_per_output();
    const Importance importance(weight);
    const bool counted = importance.given() || grid.padded();
    total_ = grid.count();
    const std::int64_t count = std::min(total_, kMostBlocks);
    std::vector<double> energies;
    for (const std::int64_t block : draw(total_, count, RandomStream(options.seed, "measure.blocks"))) {
      double energy = 0;
      for (std::int64_t j = 0; j < d_; ++j) {
        const std::int64_t output = block / each, offset = offsets[block % each * d_ + j];
        const float value = offset < 0 ? 0.0f : weight.values[output * n + offset];
        const float counts = offset < 0 ? 0.0f : importance(output, offset);
        values_.push_back(value);
        if (counted) counts_.push_back(counts);
        energy += static_cast<double>(counts) * value * value;
      }
      energies.push_back(energy);
    }
    order_.resize(static_cast<std::size_t>(count));
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::int64_t a, std::int64_t b) { return energies[a] < energies[b]; });
  }

  std::int64_t total() const { return total_; }
  std::int64_t drawn() const { return std::ssize(order_); }

  // The relative error of `count` of them, each as a row of its own.
  double error(const WeightRecipe& recipe, std::int64_t count, const CompressOptions& options,
               const Context& context) const {
    std::vector<float> values, counts;
    for (const std::int64_t place : draw(drawn(), count, RandomStream(options.seed, "measure.points"))) {
      const auto at = order_[place] * d_;
      values.insert(values.end(), values_.begin() + at, values_.begin() + at + d_);
      if (!counts_.empty()) counts.insert(counts.end(), counts_.begin() + at, counts_.begin() + at + d_);
    }
    // Inputs that are never met: nothing to learn from.
    if (!counts.empty() && std::all_of(counts.begin(), counts.end(), [](float value) { return value == 0; }))
      return 0;
    const std::vector<std::int64_t> shape{count, d_};
    const WeightView view{.values = values, .shape = shape, .importance = counts};
    WeightRecipe blocks = recipe;
    blocks.shape = shape;
    blocks.layout = BlockLayout::row;
    return weight_error(view, decode(quantize_weight(view, blocks, options, context), context)).relative();
  }

 private:
  std::int64_t d_, total_;
  std::vector<float> values_, counts_;
  std::vector<std::int64_t> order_;  // places of the blocks, by rising energy
};

// The relative errors of products of one block size and layout by their number of centroids, as they would be
// of points that k-means has not seen.
class ProductErrors {
 public:
  void add(std::int64_t centroids, double error) { errors_[centroids] = error; }

  double at(std::int64_t centroids) const {
    if (const auto found = errors_.find(centroids); found != errors_.end()) return found->second;
    // Slopes of the logarithms. The last one goes on, and changes half as much as it did before.
    std::vector<double> places, heights;
    for (const auto& [number, error] : errors_) {
      if (!(error > 0)) return 0;
      places.push_back(std::log(static_cast<double>(number)));
      heights.push_back(std::log(error));
    }
    const std::size_t n = places.size();
    const auto slope = [&](std::size_t i) {
      return (heights[i] - heights[i - 1]) / (places[i] - places[i - 1]);
    };
    double last = n > 1 ? slope(n - 1) : 0;
    if (n > 2) last += (last - slope(n - 2)) / 2;
    const double beyond = std::log(static_cast<double>(centroids)) - places.back();
    return std::exp(heights.back() + std::min(0.0, last) * beyond);
  }

 private:
  std::map<std::int64_t, double> errors_;
};

// Σ a w².
double norm_of(const WeightView& weight) {
  const Importance importance(weight);
  const std::int64_t outputs = weight.shape[0], n = std::ssize(weight.values) / outputs;
  double norm = 0;
  for (std::int64_t o = 0; o < outputs; ++o) {
    double of_output = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double value = weight.values[o * n + i];
      of_output += importance(o, i) * value * value;
    }
    norm += of_output;
  }
  return norm;
}

// The error of the points that k-means has seen over that of points it has not, for d coordinates. The
// constants are those of normal points: .57 for 4 points a centroid, .73 for 8, .90 for 32 in four or eight
// dimensions.
double seen(std::int64_t centroids, std::int64_t blocks, std::int64_t d) {
  const double factor = std::min(3.1, 0.85 * static_cast<double>(d));
  return 1 / (1 + factor * static_cast<double>(centroids) / static_cast<double>(blocks));
}

}  // namespace

std::vector<double> estimate_errors(const WeightView& weight, std::span<const WeightRecipe> candidates,
                                    const CompressOptions& options, const ErrorFeedback* feedback,
                                    const Context& context) {
  const double norm = norm_of(weight);
  std::vector<double> out(candidates.size());
  if (!(norm > 0)) return out;
  CompressOptions quick = options;
  quick.max_iterations = std::min(options.max_iterations, kMeasuredIterations);
  std::optional<OutputSample> outputs, grouped_outputs;
  std::map<std::pair<BlockLayout, std::int64_t>, std::pair<BlockSample, ProductErrors>> products;
  for (int pass = 0; pass < 2; ++pass) {  // in the second pass, those that follow from the measured ones
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      context.check_cancelled();
      const WeightRecipe& recipe = candidates[c];
      if (recipe.scheme == Scheme::integer) {
        if (pass == 1) continue;
        std::optional<OutputSample>& sample = has_groups(recipe) ? grouped_outputs : outputs;
        if (!sample) sample.emplace(weight, has_groups(recipe), options);
        out[c] = sample->error(recipe, quick, feedback, context) / norm;
        continue;
      }
      const std::pair key(recipe.layout, recipe.block_size);
      if (!products.contains(key)) {
        products.emplace(key, std::pair(BlockSample(weight, recipe, options), ProductErrors()));
      }
      auto& [sample, errors] = products.at(key);
      if (pass == 0 && recipe.centroids <= kMostMeasuredCentroids) {
        const std::int64_t count =
            std::min(sample.drawn(), std::max(kLeastBlocks, kBlocksPerCentroid * recipe.centroids));
        errors.add(recipe.centroids, sample.error(recipe, count, quick, context) /
                                         seen(recipe.centroids, count, recipe.block_size));
      } else if (pass == 1) {
        out[c] = errors.at(recipe.centroids) * seen(recipe.centroids, sample.total(), recipe.block_size);
      }
    }
  }
  return out;
}

}  // namespace parsimony::quant
