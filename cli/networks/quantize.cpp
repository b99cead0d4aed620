// parsimony quantize: a model of a safetensors file in fewer bytes.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "networks/show_compact.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/compress.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  parsimony quantize model.safetensors --scheme int4 --output small.safetensors
  parsimony quantize model.safetensors --scheme pq --block-size 8 --exclude 'head|^conv1' --output small.safetensors
  parsimony quantize model.safetensors --budget 3.3MB --output small.safetensors
  parsimony quantize model.safetensors --budget 3.3MB --calibration inputs.safetensors --dry-run

Codes are made of the tensors of 2 to 5 dimensions whose name ends in "weight"; everything else stays as it is
and is counted (--json lists it). With --budget each layer gets the scheme by which the squared error is
least. Decoded again by parsimony decompress, or from Python (docs/formats/compact.md).)";

struct Settings {
  std::string input;
  std::string output;
  std::string calibration;
  quant::CompressOptions options;
  quant::LayerFilter filter;
  bool dry_run = false;
  bool strict = false;
  bool json = false;
  int threads = 0;
  bool quiet = false;
};

void check(const Settings& settings, const CLI::App& app) {
  if (app.count("--budget") > 0) {
    if (settings.options.budget == 0) refuse("--budget: 0 bytes hold nothing");
    for (const char* flag : {"--block-size", "--centroids", "--layout"}) {
      if (app.count(flag) > 0)
        refuse(fmt::format("{}: not with --budget, which chooses it for each layer", flag));
    }
  } else if (settings.options.scheme == quant::CompressionScheme::automatic) {
    refuse("--scheme is required, int8|int4|int3|int2|pq, or --budget, which chooses");
  }
  if (settings.options.scheme != quant::CompressionScheme::pq) {
    for (const char* flag : {"--block-size", "--centroids", "--layout"}) {
      if (app.count(flag) > 0) refuse(fmt::format("{}: only with --scheme pq", flag));
    }
  }
  if (settings.output.empty()) {
    if (!settings.dry_run) refuse("--output is required, or --dry-run");
    return;
  }
  const auto ending = std::filesystem::path(settings.output).extension();
  if (ending == ".gz" || ending == ".zst") refuse("--output: compact files are not compressed once more");
  check_writable("--output", settings.output, {settings.input, settings.calibration});
}

void check_strict(const quant::CompressionPlan& plan) {
  std::int64_t count = 0;
  const quant::LeftAlone* first = nullptr;
  for (const quant::LeftAlone& left : plan.left_alone) {
    if (left.expected) continue;
    if (count++ == 0) first = &left;
  }
  if (count == 0) return;
  throw Error(
      ErrorCode::unsupported,
      fmt::format("--strict: {} tensor{} would be left alone, {} first: {}; --exclude leaves it on purpose",
                  count, count == 1 ? "" : "s", quoted_name(first->name), first->reason));
}

std::string text_of(const Settings& settings, const quant::CompressionPlan& plan, std::int64_t before,
                    const std::optional<quant::Compression>& done) {
  std::string text = compact_text(
      plan.recipe, done ? std::span<const double>(done->relative_mse) : std::span<const double>());
  text += left_alone_text(plan.left_alone);
  const std::int64_t after = quant::planned_size(plan.recipe);
  text += fmt::format("{}{} bytes of {}, {:.2f} times fewer\n", done ? settings.output + ": " : "would be ",
                      after, before, static_cast<double>(before) / static_cast<double>(after));
  return text;
}

std::string json_of(const Settings& settings, const quant::CompressionPlan& plan, std::int64_t before,
                    const std::optional<quant::Compression>& done) {
  auto root = done ? nlohmann::ordered_json::parse(done->report.to_json()) : nlohmann::ordered_json::object();
  root["input"] = {{"path", settings.input}, {"bytes", before}};
  root["output"] = {{"path", done ? nlohmann::json(settings.output) : nlohmann::json()},
                    {"bytes", quant::planned_size(plan.recipe)}};
  root["compact"] = compact_json(
      plan.recipe, done ? std::span<const double>(done->relative_mse) : std::span<const double>());
  root["left_alone"] = nlohmann::ordered_json::array();
  for (const quant::LeftAlone& left : plan.left_alone) {
    root["left_alone"].push_back({{"name", left.name}, {"reason", left.reason}, {"expected", left.expected}});
  }
  return json_text(root);
}

int run(const Settings& settings, const CLI::App& app, Terminal& terminal) {
  check(settings, app);
  check_readable(settings.input);
  if (!settings.calibration.empty()) check_readable(settings.calibration);
  if (settings.quiet) terminal.be_quiet();
  const Context context = terminal.context(settings.threads);

  const SafetensorsFile model(settings.input);
  std::optional<SafetensorsFile> calibration;
  if (!settings.calibration.empty()) calibration.emplace(settings.calibration);
  const SafetensorsFile* inputs = calibration ? &*calibration : nullptr;
  const quant::CompressionPlan plan =
      quant::plan_compression(model, settings.options, settings.filter, inputs, context);
  if (settings.strict) check_strict(plan);
  if (plan.recipe.weights.empty())
    terminal.warning("no tensor of the model becomes codes; the reasons are listed");
  std::optional<quant::Compression> done;
  if (!settings.dry_run) {
    done = quant::compress(model, plan, settings.options, inputs, context);
    context.check_cancelled();
    quant::write_compact_file(settings.output, done->model);
    quant::verify_compact_file(settings.output, done->model);
  }
  print((settings.json ? json_of : text_of)(settings, plan, model.size(), done));
  return kDone;
}

}  // namespace

Action add_quantize(CLI::App& app) {
  const auto settings = std::make_shared<Settings>();
  app.footer(kExamples);
  app.add_option("MODEL", settings->input, "safetensors file of any architecture; plain, .gz or .zst")
      ->required()
      ->type_name("");
  app.add_option("--output", settings->output, "compact file: safetensors too")->type_name("FILE");
  Flags method = Flags(app, "Method").word("block_size", "auto", 0).word("budget", "none", 0);
  describe(settings->options, [&](const Field& field, auto& value) { method(field, value); });
  // The earlier name of --block-size, which help does not show.
  Flags(app, "").word("block", "auto", 0)(Field{"block", "", 0, 4096}, settings->options.block_size);
  app.add_option("--calibration", settings->calibration,
                 "safetensors of inputs: m.input, or E[x^2] in m.input_second_moment, for m.weight")
      ->type_name("FILE")
      ->group("Method");
  app.add_option("--layers", settings->filter.layers,
                 "only tensors whose name this finds (default: ...weight)")
      ->type_name("REGEX")
      ->group("Layers");
  app.add_option("--exclude", settings->filter.exclude, "no tensors whose name this finds")
      ->type_name("REGEX")
      ->group("Layers");
  app.add_flag("--strict", settings->strict,
               "fail where a tensor of floats of several dimensions would be left alone that --layers and\n"
               "--exclude let through")
      ->group("Layers");
  app.add_flag("--dry-run", settings->dry_run,
               "write nothing, print the bytes of every tensor and of the file");
  app.add_flag("--json", settings->json, "print JSON");
  add_run_flags(app, settings->threads, settings->quiet);
  return [settings, &app](Terminal& terminal) { return run(*settings, app, terminal); };
}

}  // namespace parsimony::cli
