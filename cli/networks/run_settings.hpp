// The flags of parsimony run, and its runs on pictures and language models; run.cpp has those on texts.
#pragma once

#include <string>
#include <vector>

#include "parsimony/run/generate.hpp"
#include "parsimony/run/pictures.hpp"
#include "parsimony/run/texts.hpp"
#include "support/run_flags.hpp"
#include "support/terminal.hpp"

namespace parsimony::cli {

struct RunVerbSettings {
  std::string model, texts, pairs, image, embed;
  std::vector<std::string> text;
  run::TextOptions options;
  run::PictureInput input;
  run::GenerateInput language;
  RunSettings run;
};

/// Each prints its results and returns the exit code.
int show_images(const RunVerbSettings& settings, Terminal& terminal);
int show_continuation(const RunVerbSettings& settings, Terminal& terminal);

}  // namespace parsimony::cli
