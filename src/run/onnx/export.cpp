#include "parsimony/run/export.hpp"

#include <fmt/format.h>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/version.hpp"
#include "run/efficientnet_weights.hpp"
#include "run/encoder_names.hpp"
#include "run/model_path.hpp"
#include "run/onnx/export_network.hpp"

namespace parsimony::run {
namespace {

constexpr std::int64_t kLargestOnnx = (std::int64_t{1} << 31) - 1;
constexpr std::size_t kPiece = std::size_t{8}
                               << 20;  // bytes that are written without a look at the stop token

void check_size(const std::filesystem::path& model, std::int64_t bytes) {
  if (bytes <= kLargestOnnx) return;
  throw Error(ErrorCode::unsupported,
              fmt::format("{}: would take {} in ONNX; a file of ONNX holds at most {}", model.string(),
                          count_of(bytes, "byte"), kLargestOnnx));
}

}  // namespace

Report export_onnx(const std::filesystem::path& model, const OutputPath& output, const OnnxOptions& options,
                   const Context& context) {
  validate_fields(options);
  Report report = make_report("export", context, 0);
  record_options(report, options);
  StageTimer read_timer(report, "read");
  const std::filesystem::path path = weights_path(model);
  Weights weights(path, context);
  // Floats of all tensors, or a byte for each: the least that they take.
  const std::int64_t least = weights.value_count() * (options.weights == OnnxWeights::floats ? 4 : 1);
  check_size(path, least);
  context.require_memory(2 * least, "the file of ONNX, which grows by doubling");
  OnnxLayers layers(options.weights, context);
  const bool image = weights.has("conv_stem.weight");
  if (image) {
    add_efficientnet(layers, weights, find_variant(weights),
                     chosen_padding(options.padding, weights, model, options.folder));
  } else {
    add_encoder(layers, weights, encoder_config(weights, model, options.folder));
  }
  weights.check_unchanged();
  read_timer.finish();

  StageTimer write_timer(report, "write");
  const OnnxGraph::File file = layers.graph.file("parsimony", version());
  const auto bytes = static_cast<std::int64_t>(file.before.size() + file.graph->size());
  check_size(path, bytes);
  AtomicFile to(output);
  to.write(file.before);
  for (std::size_t at = 0; at < file.graph->size(); at += kPiece) {
    context.check_cancelled();
    to.write(std::string_view(*file.graph).substr(at, kPiece));
  }
  to.commit();
  write_timer.finish();
  report.figures.emplace_back("network", std::string(image ? "efficientnet" : "encoder"));
  report.figures.emplace_back("nodes", layers.graph.nodes());
  report.figures.emplace_back("weights", layers.weights_in_bytes());
  report.figures.emplace_back("bytes", bytes);
  return report;
}

}  // namespace parsimony::run
