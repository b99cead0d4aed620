// Words as tokens: the dictionaries of fairseq.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

namespace parsimony::data {

/// The words of a dictionary and their numbers. <s>, <pad>, </s> and <unk> are 0 to 3; the first word of the
/// file is 4. Cheap to copy.
class WordDictionary {
 public:
  struct State;
  explicit WordDictionary(std::shared_ptr<const State> state);  ///< by the reader

  std::int64_t size() const;  ///< number of tokens; tokens are 0 to size() − 1
  std::int32_t unknown() const;

  /// The words of each line between blanks, then </s>. Words that the dictionary does not have become <unk>.
  /// Names of the four special tokens in the text become these tokens. Time: O(bytes of the text).
  std::vector<std::int32_t> encode(std::string_view text) const;

  /// The word of a token. Throws invalid_argument for a token outside the dictionary.
  std::string_view word(std::int32_t token) const;

 private:
  std::shared_ptr<const State> state_;
};

/// Reads dict.txt of fairseq: a line for each word with its count, from frequent to rare. Adaptive embeddings
/// need that order.
///
/// Throws io, and format with the line: no count, a word twice, a special token, no word at all.
WordDictionary read_word_dictionary(const std::filesystem::path& file);

}  // namespace parsimony::data
