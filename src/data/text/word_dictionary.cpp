#include "data/text/word_dictionary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "data/text/tokenizer_state.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony::data {
namespace {

constexpr std::int64_t kLargestDictionary = std::int64_t{1} << 30;
constexpr std::int32_t kEndOfLine = 2, kUnknownWord = 3;
constexpr std::string_view kBlanks = " \t\r\f\v";

// The next line without its end, which is removed from the text.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

struct WordDictionary::State {
  std::vector<std::string> words{"<s>", "<pad>", "</s>", "<unk>"};
  ByText<std::int32_t> numbers{{"<s>", 0}, {"<pad>", 1}, {"</s>", kEndOfLine}, {"<unk>", kUnknownWord}};
};

WordDictionary::WordDictionary(std::shared_ptr<const State> state) : state_(std::move(state)) {}

std::int64_t WordDictionary::size() const {
  return std::ssize(state_->words);
}

std::int32_t WordDictionary::unknown() const {
  return kUnknownWord;
}

std::vector<std::int32_t> WordDictionary::encode(std::string_view text) const {
  std::vector<std::int32_t> out;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    while (true) {
      line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
      if (line.empty()) break;
      const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
      line.remove_prefix(word.size());
      const auto found = state_->numbers.find(word);
      out.push_back(found == state_->numbers.end() ? kUnknownWord : found->second);
    }
    out.push_back(kEndOfLine);
  }
  return out;
}

std::string_view WordDictionary::word(std::int32_t token) const {
  if (token < 0 || token >= size()) {
    refuse(fmt::format("token {}: there are the tokens 0 to {}", token, size() - 1));
  }
  return state_->words[token];
}

WordDictionary parse_word_dictionary(std::string_view text, const std::string& name) {
  auto state = std::make_shared<WordDictionary::State>();
  for (std::int64_t number = 1; !text.empty(); ++number) {
    std::string_view line = take_line(text);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto fail = [&](const char* what) {
      throw Error(ErrorCode::format, fmt::format("{}: line {} {}", name, number, what));
    };
    const std::size_t space = line.rfind(' ');
    const std::string_view count = space == line.npos ? std::string_view{} : line.substr(space + 1);
    if (space == 0 || count.empty() || count.find_first_not_of("0123456789") != count.npos) {
      fail("must be a word, a blank and its count, as fairseq writes it");
    }
    const std::string_view word = line.substr(0, space);
    const auto next = static_cast<std::int32_t>(state->words.size());
    if (!state->numbers.emplace(word, next).second) {
      fail("has a word again; must have each once, and no special token");
    }
    state->words.emplace_back(word);
  }
  if (state->words.size() == WordDictionary::State{}.words.size()) {
    throw Error(ErrorCode::format, name + ": has no word; must have one on each line");
  }
  return WordDictionary(std::move(state));
}

WordDictionary read_word_dictionary(const std::filesystem::path& file) {
  return parse_word_dictionary(read_file(file, kLargestDictionary), file.string());
}

}  // namespace parsimony::data
