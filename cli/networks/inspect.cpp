// parsimony inspect: lists the tensors of a safetensors file, compact or not.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/count_of.hpp"
#include "networks/show_compact.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kInspectExamples = R"(Examples:
  parsimony inspect model.safetensors
  parsimony inspect small.safetensors --json)";

struct InspectSettings {
  std::string input;
  RunSettings run;
};

std::string in_text(const SafetensorsFile& file, const std::optional<quant::CompactModel>& compact) {
  if (!compact) return tensors_text(file);
  const std::int64_t bytes = quant::model_size(compact->recipe);
  return compact_text(compact->recipe) + fmt::format("{}, {} of them the header; {} the model's {}\n",
                                                     count_of(file.size(), "byte"), file.header_bytes(),
                                                     comparison_of_bytes(file.size(), bytes), bytes);
}

std::string in_json(const SafetensorsFile& file, const std::optional<quant::CompactModel>& compact,
                    const std::string& path, const Context& context) {
  nlohmann::ordered_json root{{"path", path}};
  root.update(tensors_json(file));
  if (compact) root["compact"] = compact_json(compact->recipe);
  return json_text(root, context);
}

int run_inspect(const InspectSettings& settings, Terminal& terminal) {
  check_readable(settings.input);
  const Context context = start(terminal, settings.run);
  const SafetensorsFile file(settings.input, context);
  std::optional<quant::CompactModel> compact;
  if (quant::is_compact_file(file)) {
    compact = quant::read_compact_file(file, quant::CodesIn::file, context);
  }
  context.require_memory(listing_memory(file, settings.run.json), "listing the tensors of " + settings.input);
  const std::string text =
      settings.run.json ? in_json(file, compact, settings.input, context) : in_text(file, compact);
  file.check_unchanged();
  print(text);
  return kDone;
}

}  // namespace

Action add_inspect(CLI::App& app) {
  const auto settings = std::make_shared<InspectSettings>();
  app.footer(kInspectExamples);
  app.add_option("FILE", settings->input,
                 "safetensors file, compact or not; plain, .gz or .zst; or the index of\n"
                 "a sharded model")
      ->required()
      ->type_name("");
  add_json_flag(app, settings->run.json);
  add_max_memory_flag(app, settings->run);
  return [settings](Terminal& terminal) { return run_inspect(*settings, terminal); };
}

}  // namespace parsimony::cli
