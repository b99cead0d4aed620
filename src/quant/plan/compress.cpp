#include "parsimony/quant/compress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <regex>
#include <string>
#include <utility>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "quant/codes/error_feedback.hpp"
#include "quant/plan/losses.hpp"
#include "quant/plan/network_text.hpp"

namespace parsimony::quant {
namespace {

void check_output(const std::filesystem::path& output, const ModelTensors& model, bool dry_run) {
  if (output.empty()) {
    if (!dry_run) refuse("output: names no file; must name one unless option dry_run is set");
    return;
  }
  const std::filesystem::path ending = output.extension();
  if (ending == ".gz" || ending == ".zst") {
    refuse("output: ends in " + ending.string() + "; compact files are not compressed once more");
  }
  if (dry_run || !model.file() || model.file()->paths().size() == 1) return;
  for (const std::filesystem::path& read : model.file()->paths()) {
    std::error_code error;
    if (!std::filesystem::equivalent(output, read, error)) continue;
    refuse("output: would overwrite " + read.string() + ", which the model lies in");
  }
}

// A shard is a file of its own, but hardly ever the model.
void warn_of_shard(const std::filesystem::path& model, const Context& context) {
  static const std::regex shard("(.{1,200})-[0-9]{5}-of-([0-9]{5})\\.safetensors");
  std::smatch parts;
  const std::string name = model.filename().string();
  if (!std::regex_match(name, parts, shard) || parts[2] == "00001") return;
  context.log(
      LogLevel::warning,
      fmt::format(
          "{}: is one of {} of a model; its index, {}.safetensors.index.json, puts all of them into one file",
          name, count_of(std::stoi(parts[2]), "shard"), parts[1].str()));
}

// The configuration of a pruned model, which has fewer layers than that beside the model says.
struct PrunedConfig {
  std::filesystem::path path;  // empty: the model has none
  std::string text;
};

PrunedConfig config_for(const ModelTensors& model, const std::filesystem::path& output,
                        const CompressOptions& options) {
  if (options.prune == LayerPruning::none || options.dry_run || !model.file() ||
      model.file()->paths().empty())
    return {};
  const std::filesystem::path before = model.file()->paths().front().parent_path() / "config.json";
  std::error_code error;
  if (!std::filesystem::is_regular_file(before, error)) return {};
  const std::int64_t layers = layer_stacks(model).front().layers;
  PrunedConfig config{output.parent_path() / "config.json", read_file(before)};
  config.text = pruned_config(config.text, before.string(), layers,
                              std::ssize(remaining_layers(layers, options.share, options.prune)));
  if (std::filesystem::exists(config.path, error) && read_file(config.path) != config.text) {
    refuse(fmt::format(
        "option prune: would write {} for the layers that remain, but there is another file of that name; "
        "name an output in another folder",
        config.path.string()));
  }
  return config;
}

// The network as the config.json beside a model tells it; empty if there is none that can be used.
std::string network_beside(const ModelTensors& model, const Context& context) {
  constexpr std::int64_t kLargestConfig = std::int64_t{1} << 24;
  if (!model.file() || model.file()->paths().empty() || !has_network_text(model)) return {};
  const std::filesystem::path config = model.file()->paths().front().parent_path() / "config.json";
  std::error_code failed;
  if (!std::filesystem::is_regular_file(config, failed)) return {};
  try {
    return network_text(read_file(config, kLargestConfig, context.stop), model);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    context.log(LogLevel::warning,
                fmt::format("{}; the output does not tell how the network computes", error.what()));
    return {};
  }
}

// Notes how the network computes, so that the compact file runs by itself.
void add_network(ModelTensors& model, const ModelTensors& whole, const CompressOptions& options,
                 const Context& context) {
  const auto noted = whole.metadata().find(kNetworkKey);
  std::string text = noted == whole.metadata().end() ? network_beside(whole, context) : noted->second;
  if (options.prune != LayerPruning::none) {
    text = pruned_network_text(text, layer_stacks(whole).front().layers, options.share, options.prune);
  }
  if (!text.empty()) model.add_metadata(std::string(kNetworkKey), std::move(text));
}

// The codes, of at most a byte a value, and the weight that is worked on, some times as float32. Pages of a
// mapped model are resident too, but the system takes them back when a container is full.
std::int64_t quantizing_memory(const ModelTensors& model, const CompressOptions& options,
                               const Context& context) {
  std::int64_t values = 0, largest = 0, inputs = 0;
  for (const TensorView& tensor : model.tensors()) {
    values += tensor.values();
    largest = std::max(largest, tensor.values());
    if (tensor.shape.size() == 2) inputs = std::max(inputs, tensor.shape[1]);
  }
  const bool mapped = model.file() && !context.memory.of_system();
  const std::int64_t feedback = options.feedback ? feedback_memory(inputs) : 0;
  return values + 16 * largest + feedback + (mapped ? model.bytes() : 0);
}

Compression compress_tensors(const ModelTensors& whole, const OutputPath& output,
                             const CompressOptions& options, const Context& context) {
  check_output(output.path(), whole, options.dry_run);
  const bool rearranged = options.share != LayerSharing::none || options.prune != LayerPruning::none;
  ModelTensors model = rearranged ? share_and_prune(whole, options.share, options.prune) : whole;
  const PrunedConfig config = config_for(whole, output.path(), options);
  add_network(model, whole, options, context);
  Compression out;
  out.report = make_report("quantize", context, options.seed);
  context.require_memory(quantizing_memory(model, options, context), "quantizing");
  StageTimer planning(out.report, "plan");
  CompressionPlan plan = plan_compression(model, options, context);
  planning.finish();
  out.left_alone = plan.left_alone;
  out.model_bytes = whole.bytes();
  out.bytes = planned_size(plan.recipe);
  if (options.dry_run) {
    record_options(out.report, plan.options);
    out.recipe = std::move(plan.recipe);
    return out;
  }
  QuantizedModel made = quantize_model(model, std::move(plan), context);
  add_before(made.report, out.report);
  out.report = std::move(made.report);
  out.relative_mse = std::move(made.relative_mse);
  warn_of_losses(model, made.model.recipe, out.relative_mse, options.bias_correction || options.correct,
                 context);
  context.check_cancelled();
  StageTimer writing(out.report, "write");
  // A model that is rearranged shows bytes of a file that it does not hold.
  if (rearranged && whole.file()) made.model.storage.push_back(*whole.file());
  OutputSet outputs(output);
  write_compact_file(outputs.file(output.path()), made.model);
  if (!config.path.empty()) write_file(outputs.file(config.path), config.text);
  outputs.commit();
  writing.finish();
  out.recipe = std::move(made.model.recipe);
  return out;
}

}  // namespace

Compression compress(const ModelTensors& whole, const OutputPath& output, const CompressOptions& options,
                     const Context& context) {
  try {
    return compress_tensors(whole, output, options, context);
  } catch (const Error&) {
    if (whole.file()) whole.file()->check_unchanged();  // the reason, where it is one
    throw;
  }
}

Compression compress(const std::filesystem::path& model, const OutputPath& output,
                     const CompressOptions& options, const Context& context) {
  warn_of_shard(model, context);
  return compress(SafetensorsFile(model, context), output, options, context);
}

}  // namespace parsimony::quant
