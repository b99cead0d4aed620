// Text as tokens: bytes, or byte pairs by the merges of a vocabulary file [sennrich2016neural].
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace parsimony::data {

/// Every text is tokens, there is none that is unknown, and decode(encode(text)) is the text, byte by byte,
/// be it UTF-8 or not. Cheap to copy.
class Tokenizer {
 public:
  /// A token a byte, 256 of them.
  Tokenizer();

  std::int64_t vocabulary() const;  ///< tokens are 0 to this less one

  /// Time: n log n in the bytes of a word, and a look-up where the word was met before in this text.
  std::vector<std::int32_t> encode(std::string_view text) const;

  /// What the token stands for. Throws invalid_argument for a token that there is not.
  std::string_view bytes(std::int32_t token) const;

  /// Throws invalid_argument for a token that there is not.
  std::string decode(std::span<const std::int32_t> tokens) const;

 private:
  friend Tokenizer read_byte_pairs(const std::filesystem::path&, const std::filesystem::path&, std::int64_t);
  struct State;
  explicit Tokenizer(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

/// The byte-level byte pairs of GPT-2 and RoBERTa [radford2019language]: encoder.json (or vocab.json) has the
/// numbers of the tokens, vocab.bpe (or merges.txt) the merges, the first most urgent. Text is cut into words
/// as there, by the letters and numbers of Unicode 14.0; bytes that are no UTF-8 count as signs. Names of
/// special tokens in the text are text.
///
/// With max_vocabulary tokens from there on are left out, with the merges that need them. As merges are made
/// in the order of the tokens, what remains is the tokenizer that had stopped there: words are more and
/// shorter tokens, and nothing is unknown. A small model spends fewer weights on its embeddings so.
///
/// Throws io, format (files that are not such, or not of one another: line or token is named) and
/// invalid_argument (max_vocabulary below that of single bytes).
Tokenizer read_byte_pairs(const std::filesystem::path& encoder, const std::filesystem::path& merges,
                          std::int64_t max_vocabulary = 0);

}  // namespace parsimony::data
