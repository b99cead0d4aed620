#include "operators/training_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "clustering/points.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/random.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"

namespace parsimony::cli {
namespace {

constexpr std::int64_t kSide = 8;

// Sorted rows of [0, count), drawn without replacement.
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

Matrix<float> read_signals(const TrainingData& data, std::int64_t max_memory, std::uint64_t seed) {
  const std::string& path = data.paths.front();
  Matrix<float> all = read_points(path, max_memory);
  for (std::int64_t s = 0; s < all.rows(); ++s) {
    for (const float value : all.row(s)) {
      if (!std::isfinite(value)) {
        throw Error(ErrorCode::format, fmt::format("{}: row {} has a value that is not finite", path, s));
      }
    }
  }
  if (all.rows() < 1 || all.cols() < 2) {
    throw Error(ErrorCode::format, fmt::format("{}: {} × {}; must be signals × values, at least 2 of them",
                                               path, all.rows(), all.cols()));
  }
  if (data.samples > all.rows()) {
    refuse(fmt::format("--samples: {} of the {} signals of {}", data.samples, all.rows(), path));
  }
  if (data.samples == 0) return all;
  Matrix<float> some(data.samples, all.cols());
  const std::vector<std::int64_t> rows = draw_rows(all.rows(), data.samples, seed);
  for (std::int64_t i = 0; i < data.samples; ++i)
    std::copy_n(all.row(rows[i]).data(), all.cols(), some.row(i).data());
  return some;
}

Matrix<float> luminance(Image image) {
  if (image.colors() < 3) return std::move(image.channels.front());
  Matrix<float> out = std::move(image.channels[0]);
  for (std::int64_t i = 0; i < out.size(); ++i) {  // of Rec. 601
    out.data()[i] =
        0.299f * out.data()[i] + 0.587f * image.channels[1].data()[i] + 0.114f * image.channels[2].data()[i];
  }
  return out;
}

}  // namespace

void add_data_flags(CLI::App& app, TrainingData& data, const std::string& option) {
  CLI::Option* files = app.add_option(
      option, data.paths,
      "one 2-D .npy array, a signal a row (plain, .gz or .zst; - for stdin); or images: PNG, PGM, PPM");
  files->required()->type_name(option.starts_with("--") ? "FILE" : "");
  const Flags flags = Flags(app, "Data").word("samples", "auto", 0).word("patch", "auto", 0);
  flags(Field{"samples", "signals to take; auto: all of an array, 34000 patches of images", 1, 1 << 30},
        data.samples);
  flags(Field{"patch", "side of the patches of images in pixels; auto: 8. With it a .npy array is an image",
              2, 64},
        data.side);
  describe(data.patches, [&](const Field& field, auto& value) {
    if (field.name == "min_deviation") flags(field, value);
  });
}

bool are_images(const TrainingData& data) {
  return data.paths.size() > 1 || data.side > 0 ||
         !(names_points(data.paths.front()) || data.paths.front() == "-");
}

std::vector<std::filesystem::path> check_data(const CLI::App& app, const TrainingData& data) {
  std::vector<std::filesystem::path> paths;
  const bool images = are_images(data);
  for (const std::string& path : data.paths) {
    paths.push_back(input_path(path));
    check_readable(paths.back());
    if (images && names_points(path) && data.side == 0) {
      refuse(fmt::format("{}: an array of signals stands alone; with --patch it is an image", path));
    }
  }
  if (!images && app.count("--min-deviation") > 0) {
    refuse(
        fmt::format("--min-deviation: {} is an array of signals; this flag is "
                    "for patches of images",
                    data.paths.front()));
  }
  return paths;
}

std::vector<Matrix<float>> read_images(const std::vector<std::string>& paths, std::int64_t max_memory,
                                       const Context& context) {
  std::vector<Matrix<float>> images;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    context.check_cancelled();
    context.progress("reading", static_cast<std::int64_t>(i), static_cast<std::int64_t>(paths.size()));
    images.push_back(luminance(read_image(input_path(paths[i]), max_memory)));
    for (const float value : images.back().values()) {
      if (!std::isfinite(value)) {
        throw Error(ErrorCode::format, fmt::format("{}: has a value that is not finite", paths[i]));
      }
    }
  }
  return images;
}

Matrix<float> read_training_data(const TrainingData& data, std::int64_t max_memory, std::uint64_t seed,
                                 const Context& context) {
  if (!are_images(data)) return read_signals(data, max_memory, seed);
  const std::vector<Matrix<float>> images = read_images(data.paths, max_memory, context);
  images::PatchOptions options = data.patches;
  options.count = data.samples > 0 ? data.samples : kPatches;
  options.side = data.side > 0 ? data.side : kSide;
  options.seed = seed;
  return images::random_patches(images, options, context);
}

}  // namespace parsimony::cli
