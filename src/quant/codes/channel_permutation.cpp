#include "parsimony/quant/channel_permutation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/outer_products.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/random.hpp"
#include "quant/codes/check_weight.hpp"
#include "quant/codes/filter_scale.hpp"

namespace parsimony::quant {
namespace {

constexpr std::int64_t kStrip = 64;   // channels whose products are one task
constexpr std::int64_t kDepth = 512;  // samples summed in float32 before they join the sum
constexpr double kRidge = 1e-6;       // times the mean variance, since channels may be copies of each other
constexpr double kLeastFall = 1e-9;   // above the rounding of a determinant

// Second moments of the channels about 0, and their means, over outputs and kernel positions.
struct Moments {
  Matrix<float> products;  // C × C
  std::vector<double> mean;
};

Moments moments_of(const WeightView& weight, bool normalize, const Context& context) {
  const std::int64_t outputs = weight.shape[0], channels = weight.shape[1];
  const std::int64_t positions = std::ssize(weight.values) / outputs / channels;
  const std::int64_t samples = outputs * positions;
  const std::int64_t width = kernels::kOuterColumns<float>;
  const std::int64_t padded = (channels + width - 1) / width * width;
  const std::vector<float> factors =
      normalize ? root_mean_squares(weight.values, outputs) : std::vector<float>(outputs, 1.0f);
  Matrix<float> rows(samples, padded);
  Moments out{Matrix<float>(channels, channels), std::vector<double>(channels)};
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float* from = weight.values.data() + (o * channels + c) * positions;
      for (std::int64_t p = 0; p < positions; ++p) {
        const float value = from[p] / factors[o];
        rows(o * positions + p, c) = value;
        out.mean[c] += value;
      }
    }
  }
  for (double& mean : out.mean) mean /= static_cast<double>(samples);
  context.for_blocks(channels, kStrip, [&](std::int64_t begin, std::int64_t end) {
    Matrix<float> strip(kDepth, kStrip), sums(kStrip, padded);
    Matrix<double> totals(kStrip, padded);
    for (std::int64_t first = 0; first < samples; first += kDepth) {
      const std::int64_t depth = std::min(kDepth, samples - first);
      for (std::int64_t t = 0; t < depth; ++t) {
        for (std::int64_t c = begin; c < end; ++c) strip(t, c - begin) = rows(first + t, c);
      }
      kernels::outer_products(strip.data(), kStrip, rows.row(first).data(), padded, depth, sums.data(),
                              false);
      for (std::int64_t i = 0; i < totals.size(); ++i) totals.data()[i] += sums.data()[i];
    }
    for (std::int64_t c = begin; c < end; ++c) {
      for (std::int64_t b = 0; b < channels; ++b) {
        out.products(c, b) = static_cast<float>(totals(c - begin, b) / static_cast<double>(samples));
      }
    }
  });
  return out;
}

// The covariance of the blocks under a permutation that swaps change.
class Blocks {
 public:
  Blocks(const Moments& moments, std::vector<std::int32_t> permutation, std::int64_t d)
      : moments_(moments),
        permutation_(std::move(permutation)),
        d_(d),
        groups_(std::ssize(permutation_) / d),
        products_(d, d),
        means_(d),
        factor_(d, d) {
    for (std::int64_t g = 0; g < groups_; ++g) add(g, 1);
    double trace = 0;
    for (std::int64_t c = 0; c < std::ssize(permutation_); ++c) trace += moments.products(c, c);
    ridge_ = std::max(kRidge * trace / static_cast<double>(permutation_.size()), 1e-300);
    log_det_ = log_det();
  }

  double objective() const { return log_det_ / static_cast<double>(d_); }
  const std::vector<std::int32_t>& permutation() const { return permutation_; }

  void try_swap(std::int64_t p, std::int64_t q) {
    if (p / d_ == q / d_ && p % d_ == q % d_) return;
    const Matrix<double> products = products_;
    const std::vector<double> means = means_;
    exchange(p, q);
    if (const double now = log_det(); now < log_det_ - kLeastFall) {
      log_det_ = now;
      return;
    }
    std::swap(permutation_[p], permutation_[q]);
    products_ = products;
    means_ = means;
  }

 private:
  void exchange(std::int64_t p, std::int64_t q) {
    const std::int64_t a = p / d_, b = q / d_;
    add(a, -1);
    if (b != a) add(b, -1);
    std::swap(permutation_[p], permutation_[q]);
    add(a, 1);
    if (b != a) add(b, 1);
  }

  void add(std::int64_t group, double sign) {
    if (group >= groups_) return;  // incomplete
    const std::int32_t* own = permutation_.data() + group * d_;
    for (std::int64_t j = 0; j < d_; ++j) {
      means_[j] += sign * moments_.mean[own[j]];
      for (std::int64_t l = 0; l <= j; ++l) products_(j, l) += sign * moments_.products(own[j], own[l]);
    }
  }

  // Uses Cholesky's factorization.
  double log_det() {
    const auto groups = static_cast<double>(groups_);
    double sum = 0;
    for (std::int64_t j = 0; j < d_; ++j) {
      for (std::int64_t l = 0; l <= j; ++l) {
        double value = products_(j, l) / groups - means_[j] / groups * (means_[l] / groups);
        if (j == l) value += ridge_;
        for (std::int64_t t = 0; t < l; ++t) value -= factor_(j, t) * factor_(l, t);
        if (j > l) {
          factor_(j, l) = value / factor_(l, l);
        } else {
          factor_(j, j) = std::sqrt(std::max(value, ridge_));
          sum += 2 * std::log(factor_(j, j));
        }
      }
    }
    return sum;
  }

  const Moments& moments_;
  std::vector<std::int32_t> permutation_;
  const std::int64_t d_, groups_;
  Matrix<double> products_;  // sums over the groups, the lower triangle
  std::vector<double> means_;
  Matrix<double> factor_;
  double ridge_ = 0, log_det_ = 0;
};

// Sorts channels by falling variance. The first C / d of them fill the first coordinate, and so on.
std::vector<std::int32_t> by_variance(const Moments& moments, std::int64_t d) {
  const auto channels = std::ssize(moments.mean);
  std::vector<std::int32_t> order(channels), out(channels);
  std::iota(order.begin(), order.end(), 0);
  const auto variance = [&](std::int32_t c) {
    return moments.products(c, c) - moments.mean[c] * moments.mean[c];
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return variance(a) > variance(b); });
  const std::int64_t groups = channels / d;
  for (std::int64_t i = 0; i < channels; ++i)
    out[i < groups * d ? i % groups * d + i / groups : i] = order[i];
  return out;
}

}  // namespace

ChannelPermutation search_channel_permutation(const WeightView& weight, const PermutationOptions& options,
                                              const Context& context) {
  validate_fields(options);
  check_weight(weight, kLargestBlockValue);
  ChannelPermutation out;
  out.report = make_report("channel permutation", context, options.seed);
  record_options(out.report, options);
  const std::int64_t channels = weight.shape[1], d = options.block_size;
  out.permutation.resize(channels);
  std::iota(out.permutation.begin(), out.permutation.end(), 0);
  if (channels < 2 * d) return out;

  StageTimer covariances(out.report, "covariances");
  const Moments moments = moments_of(weight, options.normalize_filters, context);
  covariances.finish();
  StageTimer search(out.report, "search");
  const double as_they_are = Blocks(moments, out.permutation, d).objective();
  std::vector<std::int32_t> sorted = by_variance(moments, d);
  if (Blocks(moments, sorted, d).objective() < as_they_are) out.permutation = std::move(sorted);
  Blocks blocks(moments, std::move(out.permutation), d);
  out.report.objective_history = {as_they_are, blocks.objective()};
  const RandomStream draw(options.seed, "channel_permutation");
  const auto bound = static_cast<std::uint64_t>(channels);
  for (std::int64_t trial = 0; trial < options.swaps * channels; ++trial) {
    if (trial % channels == 0) context.progress("channel permutation", trial / channels, options.swaps);
    const auto at = static_cast<std::uint64_t>(2 * trial);
    blocks.try_swap(static_cast<std::int64_t>(draw.below(bound, at)),
                    static_cast<std::int64_t>(draw.below(bound, at + 1)));
  }
  out.report.objective_history.push_back(blocks.objective());
  out.report.iterations = options.swaps * channels;
  out.report.status = Status::iteration_limit;
  out.permutation = blocks.permutation();
  return out;
}

}  // namespace parsimony::quant
