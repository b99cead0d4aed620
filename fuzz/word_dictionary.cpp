#include "data/text/word_dictionary.hpp"

#include <algorithm>

#include "check.hpp"

// A dictionary, and after a line "--" a text in its words.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::value_or_error([&] {
    const std::string input = fuzz::as_string(data, size);
    const std::size_t end = std::min(input.find("\n--\n"), input.size());
    const data::WordDictionary words = data::parse_word_dictionary(input.substr(0, end), "input");
    fuzz::check(words.size() > 4, "there is a word besides the special tokens");
    std::string again;
    for (std::int32_t token = 4; token < words.size(); ++token) {
      again += std::string(words.word(token)) + " 1\n";
      fuzz::check(words.word(token).find('\n') == std::string_view::npos, "a word is in one line");
    }
    const data::WordDictionary written = data::parse_word_dictionary(again, "written");
    fuzz::check(written.size() == words.size(), "is read as it was written");
    const std::string text = input.substr(end);
    for (const std::int32_t token : words.encode(text)) {
      fuzz::check(token >= 0 && token < words.size(), "tokens are of the dictionary");
      fuzz::check(written.word(token) == words.word(token), "each word has its number again");
    }
    fuzz::check(words.encode(text) == written.encode(text), "texts have the same tokens");
  });
  return 0;
}
