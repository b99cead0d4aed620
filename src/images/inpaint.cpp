// inpaint(): the mask, and the channels one after another.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "images/energy/check_image.hpp"
#include "images/energy/tiles.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/images/denoise.hpp"
#include "parsimony/images/opponent_colors.hpp"

namespace parsimony::images {
namespace {

bool is_constant(const Matrix<float>& channel) {
  return std::ranges::all_of(channel.values(), [&](float value) { return value == channel.data()[0]; });
}

// True if all pixels whose mask is `value` have one colour.
bool has_one_color(const Image& image, const Matrix<float>& known, float value) {
  for (std::int64_t c = 0; c < image.colors(); ++c) {
    const Matrix<float>& channel = image.channels[static_cast<std::size_t>(c)];
    const float* first = nullptr;
    for (std::int64_t i = 0; i < known.size(); ++i) {
      if (known.data()[i] != value) continue;
      if (first == nullptr) first = channel.data() + i;
      if (channel.data()[i] != *first) return false;
    }
  }
  return true;
}

// Bytes beside the image, as measured: per pixel those of the mask and of the steps on one channel, and per
// channel the opponent colour and the result; the vectors of the search on one tile, and its strips of each
// thread.
std::int64_t inpainting_memory(const Image& image, const InpaintOptions& options, const Context& context) {
  constexpr std::int64_t kPerPixel = 24, kPerValue = 8, kPerTilePixel = 96, kBorder = 32;
  constexpr std::int64_t kStrips = std::int64_t{2} << 20;
  const auto side = [&](std::int64_t extent) {  // side of the largest tile, with its border
    const std::int64_t count = (extent + options.tile - 1) / options.tile;
    return count > 1 ? extent / count + 1 + 2 * kTileOverlap + kBorder : extent + kBorder;
  };
  return image.width() * image.height() * (kPerPixel + kPerValue * std::ssize(image.channels)) +
         side(image.width()) * side(image.height()) * kPerTilePixel + kStrips * context.threads();
}

}  // namespace

Matrix<float> known_pixels(const Image& mask, MissingPixels missing) {
  check_channels(mask, "mask");
  Matrix<float> known(mask.height(), mask.width());
  if (known.size() == 0) return known;
  std::int64_t first = 0, end = mask.colors();
  const bool flat = std::all_of(mask.channels.begin(), mask.channels.begin() + end, is_constant);
  if (mask.alpha && flat && !is_constant(mask.channels.back())) first = end++;
  for (std::int64_t c = first; c < end; ++c) {
    const Matrix<float>& channel = mask.channels[static_cast<std::size_t>(c)];
    check_finite(channel, "mask");
    for (std::int64_t i = 0; i < known.size(); ++i)
      known.data()[i] = std::max(known.data()[i], channel.data()[i]);
  }
  const float half = *std::ranges::max_element(known.values()) / 2;
  for (float& value : known.values()) {
    value = (value > half) == (missing == MissingPixels::black) ? 1.0f : 0.0f;
  }
  return known;
}

InpaintResult inpaint(const Image& image, const Image& mask, const InpaintOptions& options,
                      const Context& context) {
  check_channels(image, "image");
  validate_fields(options);
  context.require_memory(inpainting_memory(image, options, context), "inpainting");
  const Matrix<float> known = known_pixels(mask, options.missing);
  if (known.rows() != image.height() || known.cols() != image.width()) {
    refuse(fmt::format("mask: {} × {} pixels for an image of {} × {}", known.cols(), known.rows(),
                       image.width(), image.height()));
  }
  const auto count = static_cast<std::int64_t>(std::ranges::count(known.values(), 0.0f));
  const std::string_view color = enum_name(options.missing);
  if (count == known.size() && count > 0) {
    refuse(fmt::format("mask: no pixel is known; all of it is {}, which stands for missing", color));
  }
  if (count == 0) {
    context.log(LogLevel::warning, fmt::format("no pixel is missing: nothing in the mask is {}", color));
  } else if (has_one_color(image, known, 1) && !has_one_color(image, known, 0)) {
    const std::string_view other =
        enum_name(options.missing == MissingPixels::black ? MissingPixels::white : MissingPixels::black);
    context.log(
        LogLevel::warning,
        fmt::format("the known pixels all have one value, as holes do: the mask is probably the wrong way "
                    "round; set missing to {} to turn it",
                    other));
  }
  InpaintResult out;
  out.missing = static_cast<double>(count) / static_cast<double>(std::max<std::int64_t>(1, known.size()));
  out.image = by_opponent_colors(image, [&](MatrixView<const float> channel, std::int64_t) {
    InpaintedImage result = inpaint_channel(channel, known, options, context);
    out.reports.push_back(std::move(result.report));
    return std::move(result.image);
  });
  return out;
}

}  // namespace parsimony::images
