// A text continued by a language model in one call.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/run/language_model.hpp"
#include "parsimony/run/language_tokens.hpp"

namespace parsimony::run {

struct GenerateInput {
  LanguageOptions language;
  std::int64_t generate = 0;  ///< tokens that are added
  /// 0: always the most probable token. Higher ones draw tokens with the probabilities of logits /
  /// temperature, and give more varied texts.
  double temperature = 0;
  std::uint64_t seed = 0;  ///< seed of the draws
};

template <OptionsOf<GenerateInput> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"generate", "tokens with which a language model continues the text", 1, 1 << 20, "none", 0},
        options.generate);
  describe(options.language, visit);
  visit(Field{"temperature", "0: the most probable token; higher: more varied texts", 0, 100},
        options.temperature);
  visit(kSeedField, options.seed);
}

struct GenerateOptions {
  LoadOptions load;
  GenerateInput input;
};

template <OptionsOf<GenerateOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  describe(options.load, visit);
  describe(options.input, visit);
}

struct GeneratedText {
  std::string text;                  ///< the prompt and its continuation
  std::vector<std::int32_t> tokens;  ///< tokens of the whole text
  Report report;
};

/// Adds input.generate tokens to the text of a session, which must have a token. Returns the new ones.
/// `logits` are those after the last token. Throws invalid_argument for more tokens than the context holds;
/// cancelled.
std::vector<std::int32_t> continue_text(LanguageSession& session, std::span<const float> logits,
                                        const GenerateInput& input, const Context& context = Context{});

/// Continues the prompt, which must have a token, by input.generate tokens. Tokens are those of
/// load_language_tokens() beside the weights (in load.folder).
///
/// report: stages "load", "prompt" and "generate"; figures "precision", "weight_bytes", "activation_bytes",
/// "weights_in_codes", "tokens" and "tokens_per_second" (those after the first generated one; 0 for one).
///
/// Throws what load_language_model() and load_language_tokens() throw; format for a tokenizer of another
/// vocabulary than the network; invalid_argument for an empty prompt, and for more tokens than the context
/// holds.
GeneratedText generate(const std::filesystem::path& model, std::string_view prompt,
                       const GenerateOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::run
