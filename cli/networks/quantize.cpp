// parsimony quantize: a model becomes a compact file.
#include "networks/quantize.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "networks/show_compact.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/compress.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "support/run_page.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kQuantizeExamples = R"(Examples:
  parsimony quantize model.safetensors -o small.safetensors
  parsimony quantize model.safetensors --budget 3.3MB -o small.safetensors
  parsimony quantize model.safetensors --budget 3.3MB --calibration inputs.safetensors --dry-run
  parsimony quantize model.safetensors --scheme int4 --network efficientnet-lite0 --images photos.zip -o small.safetensors
  parsimony quantize minilm/model.safetensors --scheme int4 --texts sentences.txt -o small.safetensors
  parsimony quantize model.safetensors --scheme levels4 --half -o small.safetensors
  parsimony quantize model.safetensors --scheme 'ffn=pq8,attention=pq4,classifier=float,*=int8' -o small.safetensors

Tensors of 2 to 5 dimensions that are named as weights become codes. All others stay as they are and are
counted by the reason (--json lists each). With --budget each layer gets the scheme that costs least error.
parsimony dequantize gives the floats back; docs/formats/compact.md shows how Python reads the file.)";

constexpr const char* kPictures = "Correction by pictures";
constexpr const char* kTexts = "Correction by texts";

// Flags of a group say nothing without the first of it.
void check_group(const CLI::App& app, const char* group, const char* first) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group() == group && option->count() > 0) {
      refuse(fmt::format("--{}: needs {}", option->get_lnames().front(), first));
    }
  }
}

int run_quantize(QuantizeSettings& settings, const CLI::App& app, Terminal& terminal) {
  if (!settings.output.empty()) {
    check_writable("--output", settings.output, {settings.input, settings.calibration});
  }
  check_page(settings.run.page, {settings.input, settings.calibration, settings.output});
  check_readable(settings.input);
  if (!settings.calibration.empty()) check_readable(settings.calibration);
  const bool pictures = !settings.images.images.empty(), texts = !settings.texts.texts.empty();
  if (pictures && texts) refuse("--images and --texts: a network is for one of them");
  if (!pictures) check_group(app, kPictures, "--images");
  if (!texts) check_group(app, kTexts, "--texts");
  if (pictures || texts) return run_quantize_with_data(settings, app, terminal);
  const Context context = start(terminal, settings.run);
  read_calibration(settings, context);
  OutputSet outputs;
  show_compression(quant::compress(settings.input, outputs.file(settings.output), settings.options, context),
                   settings, app, terminal, context, outputs);
  outputs.commit();
  return kDone;
}

}  // namespace

void read_calibration(QuantizeSettings& settings, const Context& context) {
  if (!settings.calibration.empty()) settings.options.calibration.emplace(settings.calibration, context);
}

void show_compression(const quant::Compression& made, const QuantizeSettings& settings, const CLI::App& app,
                      Terminal& terminal, const Context& context, OutputSet& outputs) {
  if (made.recipe.weights.empty()) {
    terminal.warning("no tensor of the model becomes codes; the reasons are listed");
  }
  const std::string written = settings.options.dry_run ? "" : settings.output;
  const std::string json = json_text(compression_json(made, settings.input, written));
  write_page(settings.run.page, json, {}, terminal, context, outputs);
  print(settings.run.json ? json : in_flags(compression_text(made, written), app));
}

Action add_quantize(CLI::App& app) {
  const auto settings = std::make_shared<QuantizeSettings>();
  app.footer(kQuantizeExamples);
  app.add_option("MODEL", settings->input,
                 "safetensors file of any architecture, plain, .gz or .zst;\n"
                 "or the index of a sharded model, model.safetensors.index.json")
      ->required()
      ->type_name("");
  add_output_flag(app, settings->output, "compact file, which is a safetensors file too");
  Flags flags(app, "Method");
  flags.alias("block_size", "block").alias("max_iterations", "iterations");  // earlier names
  describe(settings->options, flags);
  app.add_option("--calibration", settings->calibration,
                 "safetensors file with inputs of the layers: m.input, or E[x^2] in m.input_second_moment,\n"
                 "for a weight m.weight")
      ->type_name("FILE")
      ->group("Method");
  Flags pictures(app, kPictures);
  describe(settings->images, pictures);
  Flags texts(app, kTexts);
  describe(settings->texts, texts);
  add_json_flag(app, settings->run.json);
  add_page_flag(app, settings->run.page);
  add_run_flags(app, settings->run);
  return [settings, &app](Terminal& terminal) { return run_quantize(*settings, app, terminal); };
}

}  // namespace parsimony::cli
