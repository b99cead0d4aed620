// Splits text into tokens: bytes, or byte pairs by the merges of a vocabulary file [sennrich2016neural].
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace parsimony::data {

/// There is no unknown token: decode(encode(text)) returns every text byte by byte, valid UTF-8 or not. Cheap
/// to copy.
class Tokenizer {
 public:
  struct State;

  /// One token per byte, 256 in total.
  Tokenizer();

  explicit Tokenizer(std::shared_ptr<const State> state);  ///< by the readers

  std::int64_t vocabulary() const;  ///< number of tokens; tokens are 0 to vocabulary() − 1

  /// Time: O(n log n) in the bytes of a word, and one look-up if the word occurred before in this text.
  std::vector<std::int32_t> encode(std::string_view text) const;

  /// The bytes of a token. Throws invalid_argument for a token outside the vocabulary.
  std::string_view bytes(std::int32_t token) const;

  /// The text of the tokens. Throws invalid_argument for a token outside the vocabulary.
  std::string decode(std::span<const std::int32_t> tokens) const;

 private:
  std::shared_ptr<const State> state_;
};

/// Reads the byte-level byte pairs of GPT-2 and RoBERTa [radford2019language]: encoder.json (or vocab.json)
/// has the numbers of the tokens, vocab.bpe (or merges.txt) the merges in order of priority. Text is split
/// into words as there, by the letters and numbers of Unicode 16.0; bytes that are not UTF-8 count as
/// punctuation. Names of special tokens in the text are treated as text.
///
/// max_vocabulary > 0 drops all tokens from that number on and the merges that need them. As merges are
/// learned in the order of the tokens, the result equals a tokenizer whose training stopped there: words
/// become more and shorter tokens, none is unknown. Use it for small models, whose embeddings need fewer
/// weights then.
///
/// Throws io, format (files of another form or that do not belong together, with the line or token) and
/// invalid_argument (max_vocabulary is below the number of single bytes).
Tokenizer read_byte_pairs(const std::filesystem::path& encoder, const std::filesystem::path& merges,
                          std::int64_t max_vocabulary = 0);

}  // namespace parsimony::data
