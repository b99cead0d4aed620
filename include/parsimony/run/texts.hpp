// Texts through a network in one call: sentence vectors, classes, or the similarity of pairs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/run/network.hpp"
#include "parsimony/run/session.hpp"

namespace parsimony::run {

enum class TextResult {
  automatic,  ///< classes if the network has a classification head, otherwise vectors
  vectors,    ///< sentence vectors
  classes     ///< probabilities of the classes
};

constexpr auto names_of(TextResult) {
  using enum TextResult;
  return enum_names<TextResult>({{automatic, "auto"}, {vectors, "vectors"}, {classes, "classes"}});
}

struct TextOptions {
  LoadOptions load;
  SessionOptions session;
  TextResult result = TextResult::automatic;
  std::int64_t max_tokens = 0;  ///< longer texts lose their ends; 0: as many as the network has positions
};

template <OptionsOf<TextOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"result", "vectors of sentences or probabilities of classes; auto: by the network"},
        options.result);
  describe(options.load, visit);
  describe(options.session, visit);
  visit(Field{"max_tokens",
              "tokens of a text, the ends of longer ones are cut off; auto: positions of the network", 3,
              1 << 20, "auto", 0},
        options.max_tokens);
}

struct TextRun {
  data::EncoderConfig config;
  Matrix<float> vectors;             ///< texts × width, or empty
  Matrix<float> probabilities;       ///< texts × classes, or empty
  std::vector<std::string> labels;   ///< names of the classes: those of config.json, or their numbers
  std::vector<float> similarities;   ///< cosine of each text with the first, or of each pair; without classes
  std::vector<std::int64_t> tokens;  ///< number of each text, or each pair
  Report report;
};

/// Runs each text through the network of load(), with the tokenizer beside config.json
/// (data::load_tokenizer).
///
/// report: stages "load", "tokenize" and "run"; figures "precision", "weight_bytes" (memory of the network),
/// "activation_bytes" (planned before the run), "weights_in_codes", "tokens" and "shortened_texts".
///
/// Throws what load(), load_tokenizer() and Session throw; invalid_argument for no texts, and for classes of
/// a network without a classification head; format for a tokenizer with more tokens than the network.
TextRun run_texts(const std::filesystem::path& model, std::span<const std::string> texts,
                  const TextOptions& options = {}, const Context& context = Context{});

/// The same for pairs. A network with a classification head sees both texts of a pair at once; otherwise
/// each has a vector, rows 2 i and 2 i + 1 of `vectors`, and their cosine is the similarity.
TextRun run_pairs(const std::filesystem::path& model,
                  std::span<const std::pair<std::string, std::string>> pairs, const TextOptions& options = {},
                  const Context& context = Context{});

}  // namespace parsimony::run
