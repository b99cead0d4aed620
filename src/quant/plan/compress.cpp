#include "parsimony/quant/compress.hpp"

#include <utility>

#include "parsimony/core/error.hpp"

namespace parsimony::quant {
namespace {

void check_output(const std::filesystem::path& output, bool dry_run) {
  if (output.empty()) {
    if (!dry_run) refuse("output: names no file; must name one unless option dry_run is set");
    return;
  }
  const std::filesystem::path ending = output.extension();
  if (ending == ".gz" || ending == ".zst") {
    refuse("output: ends in " + ending.string() + "; compact files are not compressed once more");
  }
}

}  // namespace

Compression compress(const ModelTensors& model, const std::filesystem::path& output,
                     const CompressOptions& options, const Context& context) {
  check_output(output, options.dry_run);
  Compression out;
  out.report = make_report("quantize", context, options.seed);
  StageTimer planning(out.report, "plan");
  CompressionPlan plan = plan_compression(model, options, context);
  planning.finish();
  out.left_alone = plan.left_alone;
  out.model_bytes = model.bytes();
  out.bytes = planned_size(plan.recipe);
  if (options.dry_run) {
    record_options(out.report, options);
    out.recipe = std::move(plan.recipe);
    return out;
  }
  QuantizedModel made = quantize_model(model, std::move(plan), context);
  add_before(made.report, out.report);
  out.report = std::move(made.report);
  out.relative_mse = std::move(made.relative_mse);
  context.check_cancelled();
  StageTimer writing(out.report, "write");
  write_compact_file(output, made.model);
  writing.finish();
  out.recipe = std::move(made.model.recipe);
  return out;
}

Compression compress(const std::filesystem::path& model, const std::filesystem::path& output,
                     const CompressOptions& options, const Context& context) {
  return compress(SafetensorsFile(model), output, options, context);
}

}  // namespace parsimony::quant
