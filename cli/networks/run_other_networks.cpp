// parsimony run on pictures and language models: implements run_settings.hpp.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "networks/run_settings.hpp"
#include "networks/show_pictures.hpp"
#include "networks/show_run.hpp"
#include "parsimony/core/error.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/show.hpp"

namespace parsimony::cli {

int show_images(const RunVerbSettings& settings, Terminal& terminal) {
  if (!settings.embed.empty()) refuse("--embed: is for texts; must not be given with --image");
  if (!std::filesystem::is_directory(settings.image)) check_readable(settings.image);
  const Context context = start(terminal, settings.run);
  const run::PictureRun made = run::run_pictures(
      settings.model, settings.image, {.load = settings.options.load, .input = settings.input}, context);
  print(settings.run.json ? json_text(pictures_json(made), context) : pictures_text(made));
  return kDone;
}

int show_continuation(const RunVerbSettings& settings, Terminal& terminal) {
  if (settings.text.size() != 1) refuse("--generate: needs one --text, the beginning of the text");
  if (!settings.embed.empty()) refuse("--embed: must not be given with --generate");
  const Context context = start(terminal, settings.run);
  const run::GeneratedText made = run::generate(
      settings.model, settings.text[0], {.load = settings.options.load, .input = settings.language}, context);
  print(settings.run.json ? json_text(generated_json(made), context) : generated_text(made));
  return kDone;
}

}  // namespace parsimony::cli
