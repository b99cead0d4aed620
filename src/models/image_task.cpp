#include "parsimony/models/image_task.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/models/weights.hpp"

namespace parsimony::models {
namespace {

using data::LabelledImages;

constexpr std::int64_t kEvaluationBatch = 250;

struct Colors {
  std::array<float, 3> mean, deviation;
};

Colors colors_of(Normalization normalization) {
  if (normalization == Normalization::cifar10) {
    return {{0.4914f, 0.4822f, 0.4465f}, {0.2470f, 0.2435f, 0.2616f}};
  }
  return {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
}

struct Move {
  std::int64_t down = 0, right = 0;
  bool flip = false;
};

// Crops, mirrors and normalizes one image; pixels outside of it are black.
void write_image(const LabelledImages& images, std::int64_t i, const Move& move, const Colors& colors,
                 float* out) {
  const auto pixels = images.image(i);
  for (std::int64_t c = 0; c < 3; ++c) {
    for (std::int64_t y = 0; y < images.height; ++y) {
      const std::int64_t from_y = y + move.down;
      for (std::int64_t x = 0; x < images.width; ++x) {
        const std::int64_t from_x = (move.flip ? images.width - 1 - x : x) + move.right;
        const bool inside = from_y >= 0 && from_y < images.height && from_x >= 0 && from_x < images.width;
        const float value =
            inside ? static_cast<float>(pixels[(c * images.height + from_y) * images.width + from_x]) : 0;
        *out++ = (value / 255 - colors.mean[c]) / colors.deviation[c];
      }
    }
  }
}

}  // namespace

std::shared_ptr<const ImageData> read_image_data(const ImageTaskOptions& options, bool training,
                                                 const Context& context) {
  if (options.archive.empty()) refuse("archive: of the images is required");
  auto data = std::make_shared<ImageData>();
  if (training) data->training = data::read_labelled_images(options.archive, options.train_split, context);
  data->evaluation = data::read_labelled_images(options.archive, options.test_split, context);
  if (training && data->training.classes != data->evaluation.classes) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{}: the classes of {} are {}, those of {} are {}; must be the same",
                    options.archive.string(), options.train_split, fmt::join(data->training.classes, ", "),
                    options.test_split, fmt::join(data->evaluation.classes, ", ")));
  }
  return data;
}

ImageTask::ImageTask(const ImageTaskOptions& options, std::shared_ptr<const ImageData> data)
    : options_(options), data_(std::move(data)) {
  validate_fields(options);
  torch::manual_seed(options.seed);
  model_ = std::make_shared<ResNet>(ResNetOptions{.depth = options.depth,
                                                  .classes = std::ssize(data_->evaluation.classes),
                                                  .activation_bits = options.activation_bits});
  if (!options.weights.empty()) load_weights(*model_, options.weights);
}

train::Batch ImageTask::batch(std::span<const std::int64_t> examples, std::uint64_t seed,
                              std::int64_t step) const {
  const LabelledImages& images = data_->training;
  const RandomStream random(seed, "images.augmentation", static_cast<std::uint64_t>(step));
  const Colors colors = colors_of(options_.normalization);
  const std::int64_t count = std::ssize(examples);
  train::Batch out{torch::empty({count, 3, images.height, images.width}),
                   torch::empty({count}, torch::kLong)};
  const auto shift = [&](std::uint64_t place) {
    const auto choices = static_cast<std::uint64_t>(2 * options_.crop_padding + 1);
    return static_cast<std::int64_t>(random.below(choices, place)) - options_.crop_padding;
  };
  for (std::int64_t i = 0; i < count; ++i) {
    const auto place = 3 * static_cast<std::uint64_t>(i);
    const Move move{shift(place), shift(place + 1), options_.flip && random.bits(place + 2) % 2 == 1};
    write_image(images, examples[i], move, colors,
                out.inputs.data_ptr<float>() + i * images.values_per_image());
    out.targets.data_ptr<std::int64_t>()[i] = images.labels[examples[i]];
  }
  return out;
}

// Convolutions in bfloat16 read channels-last tensors without a copy.
torch::Tensor ImageTask::forward(const torch::Tensor& inputs) {
  return model_->forward(inputs.contiguous(torch::MemoryFormat::ChannelsLast));
}

std::map<std::string, double> ImageTask::evaluate(const Context& context) {
  const LabelledImages& images = data_->evaluation;
  const Colors colors = colors_of(options_.normalization);
  const torch::NoGradGuard no_gradient;
  model_->eval();
  std::int64_t right = 0;
  double loss = 0;
  for (std::int64_t begin = 0; begin < images.size(); begin += kEvaluationBatch) {
    context.progress("evaluating", begin, images.size());
    const std::int64_t count = std::min(kEvaluationBatch, images.size() - begin);
    const torch::Tensor x = torch::empty({count, 3, images.height, images.width});
    for (std::int64_t i = 0; i < count; ++i) {
      write_image(images, begin + i, {}, colors, x.data_ptr<float>() + i * images.values_per_image());
    }
    const torch::Tensor labels =
        torch::from_blob(const_cast<std::int64_t*>(images.labels.data() + begin), {count}, torch::kLong);
    const torch::Tensor logits = forward(x);
    right += logits.argmax(1).eq(labels).sum().item<std::int64_t>();
    loss += torch::nn::functional::cross_entropy(
                logits, labels, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum))
                .item<double>();
  }
  const auto all = static_cast<double>(images.size());
  return {{"accuracy", static_cast<double>(right) / all}, {"loss", loss / all}};
}

}  // namespace parsimony::models
