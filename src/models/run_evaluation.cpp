#include "models/run_evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/class_figures.hpp"
#include "models/image_inputs.hpp"
#include "models/image_model.hpp"
#include "models/layer_drop.hpp"
#include "models/sentence_inputs.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/run/image_network.hpp"
#include "parsimony/run/language_model.hpp"
#include "parsimony/run/session.hpp"

namespace parsimony::models {
namespace {

[[noreturn]] void fail_for_run(const std::string& what) {
  throw Error(ErrorCode::unsupported, what + "; option engine must be torch for it");
}

void refuse_integer_activations(int bits) {
  if (bits != 0) fail_for_run(fmt::format("activation_bits: is {}; engine run has float activations", bits));
}

// Throws format where the file has another network than the task.
template <class A, class B>
void expect_of_task(const FileToRun& file, std::string_view what, const A& found, const B& asked) {
  if (found == asked) return;
  throw Error(ErrorCode::format, fmt::format("{}: has {} {}; the network of the task has {}",
                                             file.model.string(), what, found, asked));
}

// Layers of a network after pruning.
std::int64_t layers_left(std::int64_t layers, bool share_adjacent, const FileToRun& file) {
  if (!file.pruning) return layers;
  return layers_of_blocks(train::kept_blocks(block_count(layers, share_adjacent), *file.pruning), layers,
                          share_adjacent);
}

}  // namespace

std::map<std::string, double> figures_by_run(const ImageTaskOptions& options, const FileToRun& file,
                                             Report& report, const Context& context) {
  validate_fields(options);
  if (options.network == ImageNetwork::resnet) {
    fail_for_run("network: is resnet; engine run has EfficientNets alone");
  }
  refuse_integer_activations(options.activation_bits);
  StageTimer reading(report, "read");
  const std::shared_ptr<const ImageData> data = read_image_data(options, false, context);
  reading.finish();
  const data::LabelledImages& images = data->evaluation;
  const Colors colors = colors_of(options.normalization, options.network);

  StageTimer loading(report, "load");
  const run::ImageNetwork network = run::load_image_network(
      file.model, file.load,
      options.padding == ConvolutionPadding::same ? run::PaddingChoice::same : run::PaddingChoice::symmetric,
      context);
  expect_of_task(file, "the variant", enum_name(network.variant()), enum_name(variant_of(options.network)));
  expect_of_task(file, "classes:", network.classes(), network_classes(options, *data));
  loading.finish();

  const StageTimer timer(report, "evaluation");
  ClassFigures figures;
  const std::int64_t most = std::min(images_at_once(images.height, images.width), images.size());
  Matrix<float> inputs(most, images.values_per_image());
  for (std::int64_t begin = 0; begin < images.size(); begin += most) {
    context.progress("evaluating", begin, images.size());
    const std::int64_t count = std::min(most, images.size() - begin);
    context.for_blocks(count, 1, [&](std::int64_t i, std::int64_t) {
      write_image(images, begin + i, {}, colors, inputs.row(i).data());
    });
    const Matrix<float> logits =
        network.classify({inputs.data(), count, inputs.cols()}, images.height, images.width, context);
    for (std::int64_t i = 0; i < count; ++i) figures.add(logits.row(i), images.labels[begin + i]);
  }
  return figures.figures();
}

std::map<std::string, double> figures_by_run(const SentenceTaskOptions& options, const FileToRun& file,
                                             Report& report, const Context& context) {
  StageTimer reading(report, "read");
  const std::shared_ptr<const SentenceData> data = read_sentence_data(options, false, context);
  data::EncoderConfig config = data::read_encoder_config(options.config);
  config.layers = layers_left(config.layers, options.share_adjacent, file);
  config.share_adjacent = options.share_adjacent;
  reading.finish();

  StageTimer loading(report, "load");
  run::Session session(run::load_encoder(file.model, config, file.load, context));
  const SentenceSet& set = data->evaluation;
  const bool classes = set.scores.empty();
  if (classes) expect_of_task(file, "classes:", session.network().classes(), data->model.classes);
  loading.finish();

  const StageTimer timer(report, "evaluation");
  if (classes) return class_figures(*data, session.classify(set.texts, context));
  const Matrix<float> first = session.embed(set.texts, context);
  return similarity_figures(set, first, session.embed(set.second, context));
}

// Windows are those of LanguageTask::evaluate().
std::map<std::string, double> figures_by_run(const LanguageTaskOptions& data, const TransformerOptions& model,
                                             const FileToRun& file, Report& report, const Context& context) {
  refuse_integer_activations(model.activation_bits);
  StageTimer reading(report, "read");
  const LanguageData text = read_language_data(data, false, context);
  reading.finish();

  StageTimer loading(report, "load");
  const std::int64_t layers = layers_left(model.layers, model.share_adjacent, file);
  run::LanguageSession session(run::load_language_model(file.model,
                                                        {.heads = model.heads,
                                                         .layers = layers,
                                                         .context = model.context,
                                                         .first_position = model.first_position},
                                                        file.load, context),
                               context);
  const run::LanguageModel& network = session.model();
  expect_of_task(file, "blocks of layers:", network.blocks(), block_count(layers, model.share_adjacent));
  expect_of_task(file, "tokens:", network.vocabulary(), text.vocabulary);
  expect_of_task(file, "the width", network.width(), model.width);
  expect_of_task(file, "final_norm", network.final_norm(), model.final_norm);
  loading.finish();

  const StageTimer timer(report, "evaluation");
  const std::span<const std::int32_t> tokens(text.held_out);
  const std::int64_t count = std::ssize(tokens) - 1;
  double nats = 0;
  for (std::int64_t begin = 0; begin < count; begin += model.context) {
    context.progress("evaluate", begin, count);
    const std::int64_t width = std::min(model.context, count - begin);
    session.clear();
    for (const float log_p :
         session.log_probabilities(tokens.subspan(begin, width), tokens.subspan(begin + 1, width), context)) {
      nats -= log_p;
    }
  }
  return language_figures(text, nats);
}

}  // namespace parsimony::models
