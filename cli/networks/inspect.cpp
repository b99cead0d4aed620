// parsimony inspect: lists the tensors of a safetensors file, compact or not.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "networks/show_compact.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  parsimony inspect model.safetensors
  parsimony inspect small.safetensors --json)";

struct Settings {
  std::string input;
  bool json = false;
};

int run(const Settings& settings) {
  check_readable(settings.input);
  const SafetensorsFile file(settings.input);
  std::string text;
  nlohmann::ordered_json root{{"path", settings.input}};
  root.update(tensors_json(file));
  if (quant::is_compact_file(file)) {
    const quant::CompactModel model = quant::read_compact_file(file);
    root["compact"] = compact_json(model.recipe);
    text = compact_text(model.recipe);
    const auto bytes = static_cast<double>(quant::model_size(model.recipe));
    text += fmt::format("{} bytes, {} of them the header; {:.2f} times fewer than the model's {:.0f}\n",
                        file.size(), file.header_bytes(), bytes / static_cast<double>(file.size()), bytes);
  } else {
    text = tensors_text(file);
  }
  print(settings.json ? json_text(root) : text);
  return kDone;
}

}  // namespace

Action add_inspect(CLI::App& app) {
  const auto settings = std::make_shared<Settings>();
  app.footer(kExamples);
  app.add_option("FILE", settings->input, "safetensors file, compact or not; plain, .gz or .zst")
      ->required()
      ->type_name("");
  add_json_flag(app, settings->json);
  return [settings](Terminal&) { return run(*settings); };
}

}  // namespace parsimony::cli
