// Implements the samples of parsimony/operators/patches.hpp: rows drawn from signals, patches of images.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/operators/patches.hpp"

namespace parsimony::operators {
namespace {

constexpr std::int64_t kPatches = 34000, kSide = 8;

// Sorted indices below count, drawn without replacement: the first places of a shuffle.
std::vector<std::int64_t> draw_rows(std::int64_t count, std::int64_t wanted, std::uint64_t seed) {
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const RandomStream random(seed, "operator.samples");
  for (std::int64_t i = 0; i < wanted; ++i) {
    const auto left = static_cast<std::uint64_t>(count - i);
    std::swap(order[i],
              order[i + static_cast<std::int64_t>(random.below(left, static_cast<std::uint64_t>(i)))]);
  }
  order.resize(wanted);
  std::sort(order.begin(), order.end());
  return order;
}

// Luminances of colour images, the patches, and a first round of draws.
std::int64_t drawing_memory(std::span<const Image> images, std::int64_t count, std::int64_t side) {
  constexpr std::int64_t kMostOfRound = std::int64_t{1} << 28;
  const std::int64_t patches = 4 * count * side * side;
  std::int64_t bytes = patches + std::min(kMostOfRound, patches / 4 * 5) + (std::int64_t{1} << 20);
  for (const Image& image : images) {
    if (image.colors() > 1) bytes += 4 * image.height() * image.width();
  }
  return bytes;
}

}  // namespace

void check_signal_options(const SampleOptions& options) {
  const auto refuse_option = [](std::string_view option) {
    refuse(fmt::format("{}: only for patches of images; the data are an array of signals", option));
  };
  if (options.patch != 0) refuse_option("patch");
  if (options.min_deviation != SampleOptions{}.min_deviation) refuse_option("min_deviation");
}

Matrix<float> draw_signals(MatrixView<const float> signals, std::int64_t samples, std::uint64_t seed) {
  if (samples < 0 || samples > signals.rows) {
    refuse(fmt::format("samples: {} of the {}; must be at most as many", samples,
                       count_of(signals.rows, "signal")));
  }
  if (samples == 0) return copy_of(signals);
  Matrix<float> out(samples, signals.cols);
  const std::vector<std::int64_t> rows = draw_rows(signals.rows, samples, seed);
  for (std::int64_t i = 0; i < samples; ++i) {
    std::copy_n(signals.row_data(rows[i]), signals.cols, out.row(i).data());
  }
  return out;
}

Image luminance(Image image) {
  if (image.channels.empty()) refuse("image: has no channels");
  check_channels(image, "image");
  if (image.colors() >= 3) {
    Matrix<float>& out = image.channels[0];
    for (std::int64_t i = 0; i < out.size(); ++i) {
      out.data()[i] = 0.299f * out.data()[i] + 0.587f * image.channels[1].data()[i] +
                      0.114f * image.channels[2].data()[i];
    }
  }
  image.channels.resize(1);
  image.alpha = false;
  return image;
}

Matrix<float> draw_patches(std::span<const Image> images, const SampleOptions& options, std::uint64_t seed,
                           const Context& context) {
  validate_fields(options);
  const std::int64_t side = options.patch > 0 ? options.patch : kSide;
  const std::int64_t count = options.samples > 0 ? options.samples : kPatches;
  context.require_memory(drawing_memory(images, count, side), "drawing the patches",
                         "fewer samples need less");
  std::vector<Image> mixed;  // luminances of colour images; grey ones are not copied
  mixed.reserve(images.size());
  std::vector<MatrixView<const float>> grey;
  for (const Image& image : images) {
    if (image.colors() == 1) {
      grey.emplace_back(image.channels[0]);
    } else {
      mixed.push_back(luminance(image));
      grey.emplace_back(mixed.back().channels[0]);
    }
  }
  if (std::ranges::none_of(grey,
                           [side](const auto& image) { return image.rows >= side && image.cols >= side; })) {
    refuse(fmt::format("patch: none of {} is as large as a patch of {} × {} pixels",
                       count_of(grey.size(), "image"), side, side));
  }
  return random_patches(
      grey, {.count = count, .side = side, .min_deviation = options.min_deviation, .seed = seed}, context);
}

}  // namespace parsimony::operators
