#include "parsimony/models/image_task.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "models/class_figures.hpp"
#include "models/image_inputs.hpp"
#include "models/image_model.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/data/pictures.hpp"
#include "parsimony/models/weights.hpp"

namespace parsimony::models {
namespace {

using data::LabelledImages;

// The classes of a network that is trained on ImageNet, whose labels are numbers.
constexpr std::int64_t kImageNetClasses = 1000;

data::LabelledImages read_part(const std::filesystem::path& archive, const std::string& split,
                               const ImageTaskOptions& options, const Context& context) {
  if (options.network == ImageNetwork::resnet && options.side == 0) {
    return data::read_labelled_images(archive, split, context);
  }
  const std::int64_t side = options.side == 0 ? image_side(options.network) : options.side;
  data::LabelledImages images =
      data::read_pictures(archive, split, {.side = side, .crop_from = options.crop_from}, context);
  if (images.classes.empty()) refuse(archive.string() + ": its images have no labels; needs a labels.txt");
  return images;
}

std::int64_t classes_of(const ImageTaskOptions& options, const data::LabelledImages& images) {
  const std::int64_t seen = std::ssize(images.classes);
  if (options.classes == 0) return images.numbered ? std::max(seen, kImageNetClasses) : seen;
  if (options.classes < seen) {
    refuse(fmt::format("classes: is {}; must be at least {}, the number of classes in the images",
                       options.classes, seen));
  }
  return options.classes;
}

}  // namespace

std::shared_ptr<const ImageData> read_image_data(const ImageTaskOptions& options, bool training,
                                                 const Context& context) {
  if (options.archive.empty() && (training || options.test_archive.empty()))
    refuse("archive: must name the zip or folder of the images");
  auto data = std::make_shared<ImageData>();
  const std::filesystem::path& test = options.test_archive.empty() ? options.archive : options.test_archive;
  if (training) data->training = read_part(options.archive, options.train_split, options, context);
  data->evaluation = read_part(test, options.test_split, options, context);
  const bool both_numbered = data->training.numbered && data->evaluation.numbered;
  if (training && !both_numbered && data->training.classes != data->evaluation.classes) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{}: the classes of {} are {}, those of {} are {}; must be the same",
                    options.archive.string(), options.train_split, fmt::join(data->training.classes, ", "),
                    options.test_split, fmt::join(data->evaluation.classes, ", ")));
  }
  return data;
}

std::int64_t network_classes(const ImageTaskOptions& options, const ImageData& data) {
  return std::max(classes_of(options, data.evaluation), classes_of(options, data.training));
}

ImageTask::ImageTask(const ImageTaskOptions& options, std::shared_ptr<const ImageData> data)
    : options_(options), data_(std::move(data)) {
  validate_fields(options);
  torch::manual_seed(options.seed);
  model_ = make_image_model(options, network_classes(options, *data_));
  if (!options.weights.empty()) load_weights(*model_.module, options.weights);
}

train::Batch ImageTask::batch(std::span<const std::int64_t> examples, std::uint64_t seed, std::int64_t step,
                              std::int64_t first) const {
  const LabelledImages& images = data_->training;
  const RandomStream random(seed, "images.augmentation", static_cast<std::uint64_t>(step));
  const Colors colors = colors_of(options_.normalization, options_.network);
  const std::int64_t count = std::ssize(examples);
  train::Batch out{torch::empty({count, 3, images.height, images.width}),
                   torch::empty({count}, torch::kLong)};
  const auto shift = [&](std::uint64_t place) {
    const auto choices = static_cast<std::uint64_t>(2 * options_.crop_padding + 1);
    return static_cast<std::int64_t>(random.below(choices, place)) - options_.crop_padding;
  };
  for (std::int64_t i = 0; i < count; ++i) {
    const auto place = 3 * static_cast<std::uint64_t>(first + i);
    const ImageMove move{shift(place), shift(place + 1), options_.flip && random.bits(place + 2) % 2 == 1};
    write_image(images, examples[i], move, colors,
                out.inputs.data_ptr<float>() + i * images.values_per_image());
    out.targets.data_ptr<std::int64_t>()[i] = images.labels[examples[i]];
  }
  return out;
}

// Convolutions in bfloat16 read channels-last tensors without a copy.
torch::Tensor ImageTask::forward(const torch::Tensor& inputs) {
  return model_.forward(inputs.contiguous(torch::MemoryFormat::ChannelsLast), nullptr);
}

train::Outputs ImageTask::forward_with_states(const torch::Tensor& inputs) {
  train::Outputs out;
  out.logits = model_.forward(inputs.contiguous(torch::MemoryFormat::ChannelsLast), &out.states);
  return out;
}

std::map<std::string, double> ImageTask::evaluate(const Context& context) {
  const LabelledImages& images = data_->evaluation;
  const Colors colors = colors_of(options_.normalization, options_.network);
  const torch::NoGradGuard no_gradient;
  model_.module->eval();
  ClassFigures figures;
  const std::int64_t most = images_at_once(images.height, images.width);
  for (std::int64_t begin = 0; begin < images.size(); begin += most) {
    context.progress("evaluating", begin, images.size());
    const std::int64_t count = std::min(most, images.size() - begin);
    const torch::Tensor x = image_inputs(images, begin, count, colors);
    const torch::Tensor logits = forward(x).contiguous();
    for (std::int64_t i = 0; i < count; ++i) figures.add(row_of(logits, i), images.labels[begin + i]);
  }
  return figures.figures();
}

}  // namespace parsimony::models
