// The parts of a sentence tokenizer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/added_tokens.hpp"
#include "data/text/tokenizer_state.hpp"
#include "parsimony/data/sentence_tokenizer.hpp"

namespace parsimony::data {

/// Splits text without special tokens.
class TextModel {
 public:
  virtual ~TextModel() = default;
  virtual void append(std::string_view text, std::vector<std::int32_t>& out) const = 0;
};

/// A place of a template: a special token, or one of the texts.
struct TemplatePart {
  enum class Kind { token, first, second };

  Kind kind = Kind::token;
  std::int32_t type = 0;
  std::int32_t token = kNoToken;
};
using Template = std::vector<TemplatePart>;

struct SentenceTokenizer::State {
  std::vector<std::string> names;  ///< by number
  ByText<std::int32_t> numbers;    ///< by name
  AddedTokens first_pass;          ///< found in the text as it is
  AddedTokens second_pass;         ///< found in the rest
  std::unique_ptr<TextModel> model;
  Template single, pair;
  SpecialTokens special;

  /// Fills `numbers` and `special` from the names.
  void index_names();
};

/// [CLS] A [SEP] and [CLS] A [SEP] B [SEP]; of RoBERTa <s> A </s> and <s> A </s></s> B </s>, all of type 0.
void set_templates(SentenceTokenizer::State& state, std::int32_t begin, std::int32_t separator, bool roberta);

}  // namespace parsimony::data
