// Word pieces: the longest tokens from the left [wu2016google].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/bert_words.hpp"
#include "data/text/sentence_state.hpp"

namespace parsimony::data {

struct WordPieceOptions {
  BertText text;
  std::string prefix = "##";        ///< begins tokens within a word; not empty
  std::int64_t longest_word = 100;  ///< characters; longer words are unknown
  std::int32_t unknown = kNoToken;
};

class WordPieces : public TextModel {
 public:
  /// `names` are the tokens by their numbers.
  WordPieces(const std::vector<std::string>& names, WordPieceOptions options);

  void append(std::string_view text, std::vector<std::int32_t>& out) const override;

 private:
  void append_word(std::string_view word, std::vector<std::int32_t>& out) const;

  WordPieceOptions options_;
  ByText<std::int32_t> first_, later_;                 // tokens that begin a word, and others without prefix
  std::size_t longest_first_ = 0, longest_later_ = 0;  // bytes
};

}  // namespace parsimony::data
