#include "parsimony/run/generate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "run/model_path.hpp"

namespace parsimony::run {
namespace {

constexpr std::string_view kTokenStream = "run.generate";

// The most probable token, or one drawn with the probabilities of logits / temperature.
std::int32_t next_token(std::span<const float> logits, double temperature, double draw) {
  const auto best = std::max_element(logits.begin(), logits.end());
  if (temperature == 0) return static_cast<std::int32_t>(best - logits.begin());
  std::vector<double> sums;
  double sum = 0;
  for (const float value : logits) {
    sum += std::exp((static_cast<double>(value) - *best) / temperature);
    sums.push_back(sum);
  }
  const auto found = std::upper_bound(sums.begin(), sums.end(), draw * sum);
  return static_cast<std::int32_t>(std::min<std::ptrdiff_t>(found - sums.begin(), std::ssize(sums) - 1));
}

}  // namespace

std::vector<std::int32_t> continue_text(LanguageSession& session, std::span<const float> logits,
                                        const GenerateInput& input, const Context& context) {
  const std::int64_t most = session.model().options().context;
  if (session.tokens() + input.generate > most) {
    refuse(fmt::format("context: is {}; the text has {} with those to generate", most,
                       count_of(session.tokens() + input.generate, "token")));
  }
  const RandomStream draws(input.seed, kTokenStream);
  std::vector<std::int32_t> out;
  for (std::int64_t i = 0; i < input.generate; ++i) {
    out.push_back(next_token(logits, input.temperature, draws.uniform(i)));
    if (i + 1 < input.generate) logits = session.step(out.back(), context);
    context.progress("generate", i + 1, input.generate);
  }
  return out;
}

GeneratedText generate(const std::filesystem::path& model, std::string_view prompt,
                       const GenerateOptions& options, const Context& context) {
  validate_fields(options);
  const GenerateInput& input = options.input;
  GeneratedText out;
  out.report = make_report("run", context, input.seed);
  record_options(out.report, options);
  StageTimer load_timer(out.report, "load");
  const LanguageModel network = load_language_model(model, input.language, options.load, context);
  const LanguageTokens tokenizer =
      load_language_tokens(folder_of(model, options.load.folder), network.vocabulary());
  LanguageSession session(network, context);
  load_timer.finish();

  StageTimer prompt_timer(out.report, "prompt");
  out.tokens = tokenizer.encode(prompt);
  if (out.tokens.empty()) refuse("text: is empty; must have a token to continue from");
  const std::int64_t all = std::ssize(out.tokens) + input.generate;
  if (all > input.language.context) {
    refuse(fmt::format("context: is {}; the text has {} with those to generate", input.language.context,
                       count_of(all, "token")));
  }
  std::span<const float> logits = session.add(out.tokens, context);
  prompt_timer.finish();

  StageTimer generate_timer(out.report, "generate");
  const std::vector<std::int32_t> more = continue_text(session, logits, input, context);
  out.tokens.insert(out.tokens.end(), more.begin(), more.end());
  generate_timer.finish();
  out.text = tokenizer.decode(out.tokens);
  const double seconds = out.report.stages.back().seconds;
  auto& figures = out.report.figures;
  figures.emplace_back("precision", std::string(enum_name(network.precision())));
  figures.emplace_back("weight_bytes", network.bytes());
  figures.emplace_back("activation_bytes", session.bytes());
  figures.emplace_back("weights_in_codes", network.in_codes());
  figures.emplace_back("tokens", static_cast<std::int64_t>(std::ssize(out.tokens)));
  const std::int64_t steps = input.generate - 1;  // the prompt gave the first token
  figures.emplace_back("tokens_per_second",
                       steps > 0 && seconds > 0 ? static_cast<double>(steps) / seconds : 0.0);
  return out;
}

}  // namespace parsimony::run
