// Text to the tokens of a language model, and back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "parsimony/data/tokenizer.hpp"
#include "parsimony/data/word_dictionary.hpp"

namespace parsimony::run {

/// Bytes, byte pairs, or the words of a dictionary. Cheap to copy.
class LanguageTokens {
 public:
  LanguageTokens() = default;  ///< bytes
  explicit LanguageTokens(data::Tokenizer pairs) : tokens_(std::move(pairs)) {}
  explicit LanguageTokens(data::WordDictionary words) : tokens_(std::move(words)) {}

  std::int64_t vocabulary() const;  ///< number of tokens

  /// Words: those between blanks, and </s> for each end of a line in the text. Unknown ones become <unk>.
  std::vector<std::int32_t> encode(std::string_view text) const;

  /// Words come with a blank between them, and </s> as the end of a line. Throws invalid_argument for a token
  /// outside the vocabulary.
  std::string decode(std::span<const std::int32_t> tokens) const;

 private:
  std::variant<data::Tokenizer, data::WordDictionary> tokens_;
};

/// The tokens of a language model: those of encoder.json with vocab.bpe, of vocab.json with merges.txt, or
/// the words of dict.txt of fairseq, in the folder; without them, bytes. Throws what read_byte_pairs() and
/// read_word_dictionary() throw; format for another number of tokens than `vocabulary`; io for a folder that
/// cannot be read.
LanguageTokens load_language_tokens(const std::filesystem::path& folder, std::int64_t vocabulary);

}  // namespace parsimony::run
