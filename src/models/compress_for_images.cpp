#include "parsimony/models/compress_for_images.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "models/image_inputs.hpp"
#include "models/image_model.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/data/pictures.hpp"
#include "parsimony/models/weights.hpp"
#include "parsimony/train/batch_norm.hpp"
#include "parsimony/train/input_moments.hpp"
#include "quant/file/memory_file.hpp"

namespace parsimony::models {
namespace {

// Batch norm takes its statistics batch by batch: at 32 pictures they are near those of all.
constexpr std::int64_t kBatch = 32;

std::vector<float> floats_of(const torch::Tensor& tensor) {
  const torch::Tensor values = tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
  return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

// The classifier is the last layer of all these networks.
std::string classifier_bias(ImageNetwork network) {
  return network == ImageNetwork::resnet ? "linear.bias" : "classifier.bias";
}

// The network with the pictures that it sees.
class PictureRun {
 public:
  PictureRun(const SafetensorsFile& file, const ImageCorrectionOptions& options, const Context& context)
      : context_(context), colors_(colors_of(options.normalization, options.network)) {
    if (options.images.empty()) refuse("images: must name a zip or folder of pictures");
    const std::int64_t side = options.side == 0 ? image_side(options.network) : options.side;
    pictures_ = data::read_pictures(options.images, "",
                                    {.side = side, .crop_from = options.crop_from, .count = options.pictures},
                                    context);
    const TensorView* bias = file.find(classifier_bias(options.network));
    const std::int64_t classes = bias != nullptr && bias->shape.size() == 1 ? bias->shape[0] : 2;
    const ImageTaskOptions task{
        .network = options.network, .depth = options.depth, .padding = options.padding};
    model_ = make_image_model(task, std::max<std::int64_t>(2, classes));
    model_.module->eval();
  }

  torch::nn::Module& module() { return *model_.module; }
  std::int64_t pictures() const { return pictures_.size(); }

  /// Sends all pictures through the network. Returns the mean of its outputs.
  torch::Tensor pass(const char* stage) {
    const torch::NoGradGuard no_gradient;
    torch::Tensor sum;
    const std::int64_t batches = (pictures_.size() + kBatch - 1) / kBatch;
    for (std::int64_t b = 0; b < batches;
         ++b) {  // batches of nearly equal size: a rest of one has no variance
      context_.progress(stage, b, batches);
      context_.check_cancelled();
      const std::int64_t begin = b * pictures_.size() / batches, end = (b + 1) * pictures_.size() / batches;
      const torch::Tensor images = image_inputs(pictures_, begin, end - begin, colors_);
      const torch::Tensor logits = model_.forward(images, nullptr);
      sum = sum.defined() ? sum + logits.sum(0) : logits.sum(0);
    }
    return sum / static_cast<double>(pictures_.size());
  }

 private:
  const Context& context_;
  Colors colors_;
  data::LabelledImages pictures_;
  ImageModel model_;
};

// The moments in the form of a calibration file.
SafetensorsFile calibration_of(const std::map<std::string, std::vector<float>>& moments) {
  std::vector<TensorView> views;
  for (const auto& [layer, values] : moments) {
    views.push_back({{layer + ".input_second_moment", DType::float32, {std::ssize(values)}},
                     {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float)}});
  }
  return quant::safetensors_in_memory(views, "inputs of the layers on the pictures");
}

// Moments of a convolution in groups have one value per weight; a calibration has one per input channel.
void to_channels(torch::nn::Module& model, std::map<std::string, std::vector<float>>& moments) {
  for (const auto& item : model.named_modules("", false)) {
    const auto* convolution = item.value()->as<torch::nn::Conv2d>();
    const auto found = moments.find(item.key());
    if (convolution == nullptr || found == moments.end() || convolution->options.groups() == 1) continue;
    const torch::Tensor& weight = convolution->weight;
    const std::int64_t per_group = weight.size(1), positions = weight.size(2) * weight.size(3);
    const std::int64_t outputs = weight.size(0) / convolution->options.groups();
    std::vector<float> channels;
    for (std::int64_t c = 0; c < convolution->options.in_channels(); ++c) {
      const std::int64_t output = c / per_group * outputs;
      channels.push_back(found->second[(output * per_group + c % per_group) * positions]);
    }
    found->second = std::move(channels);
  }
}

// The statistics of all batch norms as the pictures make them; empty without batch norms.
train::BatchNormStatistics measured_statistics(PictureRun& run, const char* stage) {
  if (!train::has_batch_norm(run.module())) return {};
  return train::measured_statistics(run.module(), [&] { run.pass(stage); });
}

// The float network on the pictures.
struct Measured {
  torch::Tensor logits;  // their mean
  train::BatchNormStatistics trained, on_pictures;
};

// The statistics of a few pictures alone would be noisy, and may be those of other pictures than the network
// was trained with: the trained ones are moved by the difference that the codes make.
quant::TensorValues corrected(PictureRun& run, const quant::CompactModel& codes, const Measured& measured,
                              const std::string& bias) {
  load_weights(run.module(), codes);
  const train::BatchNormStatistics moved =
      train::moved_statistics(measured.trained, measured.on_pictures, measured_statistics(run, "correct"));
  const auto stored = [&](const std::string& name) {
    const auto& others = codes.recipe.others;
    const auto& aliases = codes.recipe.aliases;
    return std::any_of(others.begin(), others.end(), [&](const auto& other) { return other.name == name; }) &&
           std::none_of(aliases.begin(), aliases.end(),
                        [&](const auto& alias) { return alias.second == name; });
  };
  const torch::NoGradGuard no_gradient;
  train::set_statistics(run.module(), measured.trained);
  quant::TensorValues out;
  for (const auto& [name, value] : moved) {
    if (!stored(name)) continue;
    train::set_statistics(run.module(), {{name, value}});
    out.emplace_back(name, floats_of(value));
  }
  if (stored(bias)) {
    const torch::Tensor apart = measured.logits - run.pass("correct");
    out.emplace_back(bias, floats_of(run.module().named_parameters()[bias] + apart));
  }
  return out;
}

}  // namespace

quant::Compression compress_for_images(const std::filesystem::path& model, const OutputPath& output,
                                       const quant::CompressOptions& options,
                                       const ImageCorrectionOptions& correction, const Context& context) {
  validate_fields(correction);
  torch::set_num_threads(context.threads());
  const SafetensorsFile file(model, context);
  if (quant::is_compact_file(file)) {
    throw Error(ErrorCode::format,
                fmt::format("{}: is a compact file; must be the float network", file.name()));
  }
  if (options.share != quant::LayerSharing::none || options.prune != quant::LayerPruning::none) {
    refuse("images: share and prune are for Transformers; leave them out");
  }
  Report before;
  StageTimer reading(before, "read");
  PictureRun run(file, correction, context);
  load_weights(run.module(), model);
  reading.finish();
  StageTimer measuring(before, "measure");
  quant::CompressOptions by_pictures = options;
  torch::Tensor logits;
  if (correction.weigh_inputs && !options.calibration) {
    auto moments = train::input_second_moments(run.module(), [&] { logits = run.pass("measure"); });
    to_channels(run.module(), moments);
    by_pictures.calibration = calibration_of(moments);
  } else {
    logits = run.pass("measure");
  }
  const Measured measured{logits, train::batch_norm_statistics(run.module()),
                          measured_statistics(run, "measure")};
  measuring.finish();
  std::int64_t changed = 0;
  by_pictures.correct = [&](const quant::CompactModel& codes) {
    quant::TensorValues values = corrected(run, codes, measured, classifier_bias(correction.network));
    changed = std::ssize(values);
    return values;
  };
  quant::Compression out = quant::compress(quant::ModelTensors(file), output, by_pictures, context);
  add_before(out.report, before);
  out.report.figures.emplace_back("pictures", run.pictures());
  if (!options.dry_run) out.report.figures.emplace_back("corrected_tensors", changed);
  return out;
}

}  // namespace parsimony::models
