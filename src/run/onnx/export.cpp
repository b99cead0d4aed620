#include "parsimony/run/export.hpp"

#include <fmt/format.h>

#include "parsimony/core/error.hpp"
#include "parsimony/core/version.hpp"
#include "run/efficientnet_weights.hpp"
#include "run/model_path.hpp"
#include "run/onnx/export_network.hpp"

namespace parsimony::run {
namespace {

constexpr std::int64_t kLargestOnnx = (std::int64_t{1} << 31) - 1;

// Floats of all tensors, or a byte for each.
std::int64_t graph_bytes(const Weights& weights, OnnxWeights kind) {
  const std::int64_t values = weights.value_count();
  return kind == OnnxWeights::floats ? 4 * values : values;
}

}  // namespace

Report export_onnx(const std::filesystem::path& model, const OutputPath& output, const OnnxOptions& options,
                   const Context& context) {
  validate_fields(options);
  Report report = make_report("export", context, 0);
  record_options(report, options);
  StageTimer read_timer(report, "read");
  const std::filesystem::path path = weights_path(model),
                              config = folder_of(model, options.folder) / "config.json";
  Weights weights(path, context.stop);
  const std::int64_t bytes = graph_bytes(weights, options.weights);
  if (bytes > kLargestOnnx) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: would take {} bytes in ONNX; a file of ONNX holds at most {}", path.string(),
                            bytes, kLargestOnnx));
  }
  context.require_memory(bytes, "the file of ONNX");
  OnnxLayers layers(options.weights);
  const bool image = weights.has("conv_stem.weight");
  if (image) {
    add_efficientnet(layers, weights, find_variant(weights), chosen_padding(options.padding, config));
  } else {
    add_encoder(layers, weights, data::read_encoder_config(config));
  }
  weights.check_unchanged();
  read_timer.finish();

  StageTimer write_timer(report, "write");
  const OnnxGraph::File file = layers.graph.file("parsimony", version());
  AtomicFile to(output);
  to.write(file.before);
  to.write(*file.graph);
  to.commit();
  write_timer.finish();
  report.figures.emplace_back("network", std::string(image ? "efficientnet" : "encoder"));
  report.figures.emplace_back("nodes", layers.graph.nodes());
  report.figures.emplace_back("weights", layers.weights_in_bytes());
  report.figures.emplace_back("bytes", static_cast<std::int64_t>(file.before.size() + file.graph->size()));
  return report;
}

}  // namespace parsimony::run
