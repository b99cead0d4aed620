// Cleans text as BERT does and splits it into words [devlin2019bert].
#pragma once

#include <functional>
#include <string_view>

namespace parsimony::data {

struct BertText {
  bool clean = true;          ///< drop invisible characters
  bool split_chinese = true;  ///< each ideograph is a word
  bool strip_accents = true;  ///< decompose, and drop non-spacing marks
  bool lower_case = true;
};

/// Calls back for each word in its order: words end at white space, and each punctuation mark is one. Bytes
/// that are not UTF-8 count as U+FFFD. Marks that stay keep their order, which a decomposition would sort;
/// this concerns musical notes and a few marks newer than BERT.
void bert_words(std::string_view text, const BertText& options,
                const std::function<void(std::string_view)>& word);

}  // namespace parsimony::data
