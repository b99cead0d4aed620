#include "parsimony/operators/patches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/count_of.hpp"
#include "operators/frames/checks.hpp"
#include "operators/learning/find_patches.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::operators {
namespace {

constexpr std::int64_t kBlock = 2048;      // patches
constexpr std::int64_t kMostDraws = 1000;  // most draws for one patch that is kept

class Sampler {
 public:
  Sampler(std::span<const MatrixView<const float>> images, const PatchOptions& options)
      : images_(images), options_(options), random_(options.seed, "patches") {
    std::int64_t positions = 0;
    for (std::size_t i = 0; i < images.size(); ++i) {
      check_finite(images[i], fmt::format("image {}", i));
      const std::int64_t rows = images[i].rows - options.side + 1;
      const std::int64_t cols = images[i].cols - options.side + 1;
      if (rows > 0 && cols > 0) positions += rows * cols;
      ends_.push_back(positions);
    }
    if (positions == 0) {
      refuse(fmt::format("side: none of {} is as large as a patch of {} × {} pixels",
                         count_of(images.size(), "image"), options.side, options.side));
    }
  }

  // Writes patch `index`; false when it must be drawn again.
  bool draw(std::int64_t index, float* out) const {
    const auto place = static_cast<std::int64_t>(
        random_.below(static_cast<std::uint64_t>(ends_.back()), static_cast<std::uint64_t>(index)));
    const auto image = std::upper_bound(ends_.begin(), ends_.end(), place) - ends_.begin();
    const MatrixView<const float>& pixels = images_[static_cast<std::size_t>(image)];
    const std::int64_t side = options_.side, columns = pixels.cols - side + 1;
    const std::int64_t within = place - (image == 0 ? 0 : ends_[static_cast<std::size_t>(image - 1)]);
    for (std::int64_t u = 0; u < side; ++u) {
      std::copy_n(pixels.row_data(within / columns + u) + within % columns, side, out + u * side);
    }
    const std::int64_t n = side * side;
    double sum = 0;
    for (std::int64_t k = 0; k < n; ++k) sum += out[k];
    const double mean = sum / static_cast<double>(n);
    double spread = 0;
    for (std::int64_t k = 0; k < n; ++k) spread += (out[k] - mean) * (out[k] - mean);
    if (std::sqrt(spread / static_cast<double>(n)) < options_.min_deviation) return false;
    const double shift = options_.zero_mean ? mean : 0;
    const double squares = options_.zero_mean ? spread : spread + static_cast<double>(n) * mean * mean;
    if (options_.unit_norm && !(squares > 0)) return false;
    const double scale = options_.unit_norm ? 1 / std::sqrt(squares) : 1;
    for (std::int64_t k = 0; k < n; ++k) out[k] = static_cast<float>((out[k] - shift) * scale);
    return true;
  }

 private:
  std::span<const MatrixView<const float>> images_;
  const PatchOptions& options_;
  RandomStream random_;
  std::vector<std::int64_t> ends_;  // for each image, the positions in it and the ones before
};

struct Drawn {
  Matrix<float> patches;
  std::int64_t found = 0;  // patches kept; fewer than were asked for where the images are too flat
  std::int64_t drawn = 0;
};

Drawn draw_until_full(std::span<const MatrixView<const float>> images, const PatchOptions& options,
                      const Context& context) {
  validate_fields(options);
  const Sampler sampler(images, options);
  const std::int64_t n = options.side * options.side;
  Drawn out{.patches = Matrix<float>(options.count, n)};
  std::int64_t& found = out.found;
  std::int64_t& drawn = out.drawn;
  // Draws come in rounds. Each block moves its kept patches to its front; then the blocks are joined in
  // order.
  while (found < options.count) {
    const std::int64_t most = (std::int64_t{1} << 26) / n + 1;  // 256 MiB
    const std::int64_t round = std::min(most, (options.count - found) * 5 / 4 + kBlock);
    const std::int64_t blocks = (round + kBlock - 1) / kBlock;
    Matrix<float> values(round, n);
    std::vector<std::int64_t> good(static_cast<std::size_t>(blocks));
    context.for_blocks(round, kBlock, [&](std::int64_t begin, std::int64_t end) {
      std::int64_t at = begin;
      for (std::int64_t i = begin; i < end; ++i) at += sampler.draw(drawn + i, values.row(at).data());
      good[static_cast<std::size_t>(begin / kBlock)] = at - begin;
    });
    for (std::int64_t b = 0; b < blocks && found < options.count; ++b) {
      const std::int64_t take = std::min(good[static_cast<std::size_t>(b)], options.count - found);
      std::copy_n(values.data() + b * kBlock * n, take * n, out.patches.data() + found * n);
      found += take;
    }
    drawn += round;
    if (found < options.count && found < drawn / kMostDraws) break;
  }
  return out;
}

}  // namespace

std::optional<Matrix<float>> find_patches(std::span<const MatrixView<const float>> images,
                                          const PatchOptions& options, const Context& context) {
  Drawn drawn = draw_until_full(images, options, context);
  if (drawn.found < options.count) return std::nullopt;
  return std::move(drawn.patches);
}

Matrix<float> random_patches(std::span<const MatrixView<const float>> images, const PatchOptions& options,
                             const Context& context) {
  Drawn drawn = draw_until_full(images, options, context);
  if (drawn.found < options.count) {
    refuse(
        fmt::format("min_deviation: only {} of {} {} by {} grey levels; the images are too flat, or the "
                    "bound is too high",
                    drawn.found, count_of(drawn.drawn, "patch", "patches"),
                    noun_of(drawn.found, "deviates", "deviate"), options.min_deviation));
  }
  return std::move(drawn.patches);
}

Matrix<float> random_patches(std::span<const Matrix<float>> images, const PatchOptions& options,
                             const Context& context) {
  return random_patches(std::vector<MatrixView<const float>>(images.begin(), images.end()), options, context);
}

}  // namespace parsimony::operators
