// parsimony export: a network as a file of ONNX.
#include "parsimony/run/export.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "core/report_json.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExportExamples = R"(Examples:
  parsimony export small.safetensors --onnx model.onnx
  parsimony export model --onnx model.onnx --weights floats

MODEL is a BERT or RoBERTa with the names of Hugging Face's transformers and a config.json beside it, or an
EfficientNet with timm's names; compact or not.)";

struct ExportSettings {
  std::string model, onnx;
  run::OnnxOptions options;
  RunSettings run;
};

int run_export(const ExportSettings& settings, Terminal& terminal) {
  if (!std::filesystem::is_directory(settings.model)) check_readable(settings.model);
  check_writable("--onnx", settings.onnx, {settings.model});
  const Context context = start(terminal, settings.run);
  OutputSet outputs;
  const Report report =
      run::export_onnx(settings.model, outputs.file(settings.onnx), settings.options, context);
  if (settings.run.json) print(json_text(report_json(report), context));
  outputs.commit();
  terminal.note(fmt::format("{}: {} of {}, {}, {} in bytes", settings.onnx,
                            report.figure<std::string>("network"),
                            count_of(report.figure<std::int64_t>("nodes"), "node"),
                            count_of(report.figure<std::int64_t>("bytes"), "byte"),
                            count_of(report.figure<std::int64_t>("weights"), "weight")));
  return kDone;
}

}  // namespace

Action add_export(CLI::App& app) {
  const auto settings = std::make_shared<ExportSettings>();
  app.footer(kExportExamples);
  app.add_option("MODEL", settings->model,
                 "safetensors file, compact or not, or a folder with model.safetensors")
      ->required()
      ->type_name("");
  app.add_option("--onnx", settings->onnx, "file of ONNX to write")->required()->type_name("FILE");
  Flags flags(app, "Network");
  describe(settings->options, flags);
  add_json_flag(app, settings->run.json);
  add_run_flags(app, settings->run);
  return [settings](Terminal& terminal) { return run_export(*settings, terminal); };
}

}  // namespace parsimony::cli
