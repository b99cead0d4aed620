// tokenizer.json, the file of the package `tokenizers`.
#pragma once

#include <string>

#include "data/text/sentence_state.hpp"

namespace parsimony::data {

/// Byte pairs behind the words of GPT-2; prefix_space puts a space before a text that begins without one.
std::unique_ptr<TextModel> byte_pair_model(Tokenizer tokenizer, bool prefix_space);

/// `name` is that of the file, for messages. Throws as load_tokenizer() does.
SentenceTokenizer parse_tokenizer_json(const std::string& text, const std::string& name);

}  // namespace parsimony::data
