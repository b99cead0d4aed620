// parsimony run: texts or pictures through a network that computes from the codes of its compact file.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "networks/run_settings.hpp"
#include "networks/show_run.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/npy.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kRunExamples = R"(Examples:
  parsimony run small.safetensors --text "A man plays the guitar." --text "Someone makes music."
  parsimony run small.safetensors --texts sentences.txt --embed vectors.npy
  parsimony run small.safetensors --pairs pairs.tsv --json
  parsimony run efficientnet.safetensors --image photo.jpg
  parsimony run language.safetensors --text "Once upon" --generate 50

MODEL is a file, compact or not, or its folder. For texts it is a BERT or RoBERTa with the names of Hugging Face's
transformers. Its config.json and tokenizer (tokenizer.json, vocab.json with merges.txt, or vocab.txt) lie beside it or in
--folder. A network with a classification head gives the classes of the texts; any other gives vectors of
sentences, and shows the cosine of each pair, or of each text with the first. For pictures it is an EfficientNet
with timm's names; line i of a file labels.txt beside it names class i. --generate takes a language model of
parsimony train; its vocabulary (encoder.json with vocab.bpe, vocab.json with merges.txt, or dict.txt) lies beside it.)";

int run_run(RunVerbSettings& settings, Terminal& terminal) {
  if (!std::filesystem::is_directory(settings.model)) check_readable(settings.model);
  const int given = int{!settings.text.empty()} + int{!settings.texts.empty()} +
                    int{!settings.pairs.empty()} + int{!settings.image.empty()};
  if (given != 1) refuse("--text, --texts, --pairs, --image: one of these must be given, and only one");
  if (!settings.image.empty()) {
    if (settings.language.generate > 0)
      refuse("--generate: continues a text; must not be given with --image");
    return show_images(settings, terminal);
  }
  if (settings.language.generate > 0) return show_continuation(settings, terminal);
  if (!settings.embed.empty()) {
    check_writable("--embed", settings.embed, {settings.model, settings.texts, settings.pairs});
    if (settings.options.result == run::TextResult::classes) refuse("--embed: needs --result vectors");
    settings.options.result = run::TextResult::vectors;
  }
  const Context context = start(terminal, settings.run);
  run::TextRun made;
  std::vector<std::string> shown = settings.text;
  if (!settings.pairs.empty()) {
    const auto pairs = read_pairs(settings.pairs, context.stop);
    made = run::run_pairs(settings.model, pairs, settings.options, context);
    for (const auto& [first, second] : pairs) shown.push_back(fmt::format("{}\t{}", first, second));
  } else {
    if (!settings.texts.empty()) shown = read_lines(settings.texts, context.stop);
    made = run::run_texts(settings.model, shown, settings.options, context);
  }
  OutputSet outputs;
  if (!settings.embed.empty()) write_npy(outputs.file(settings.embed), made.vectors.view());
  print(settings.run.json ? json_text(run_json(made, shown), context) : run_text(made, shown));
  outputs.commit();
  return kDone;
}

}  // namespace

Action add_run(CLI::App& app) {
  const auto settings = std::make_shared<RunVerbSettings>();
  app.footer(kRunExamples);
  app.add_option("MODEL", settings->model,
                 "safetensors file, compact or not, or a folder with model.safetensors")
      ->required()
      ->type_name("");
  app.add_option("--text", settings->text, "a text; give it several times for several")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  app.add_option("--texts", settings->texts, "file with a text on each line")->type_name("FILE");
  app.add_option("--pairs", settings->pairs, "file with two texts on each line, divided by a tab")
      ->type_name("FILE");
  app.add_option("--image", settings->image, "a picture, or a folder or zip archive of pictures")
      ->type_name("PATH");
  app.add_option("--embed", settings->embed, "writes the vectors of the texts, a row each, as .npy")
      ->type_name("FILE");
  Flags flags(app, "Network");
  describe(settings->options, flags);
  Flags picture_flags(app, "Pictures");
  describe(settings->input, picture_flags);
  Flags language_flags(app, "Language model");
  describe(settings->language, language_flags);
  add_json_flag(app, settings->run.json);
  add_run_flags(app, settings->run);
  return [settings](Terminal& terminal) { return run_run(*settings, terminal); };
}

}  // namespace parsimony::cli
