#include "data/text/word_pieces.hpp"

#include <algorithm>
#include <utility>

namespace parsimony::data {
namespace {

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

WordPieces::WordPieces(const std::vector<std::string>& names, WordPieceOptions options)
    : options_(std::move(options)) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto number = static_cast<std::int32_t>(i);
    std::string_view name = names[i];
    first_.emplace(name, number);
    longest_first_ = std::max(longest_first_, name.size());
    if (!name.starts_with(options_.prefix)) continue;
    name.remove_prefix(options_.prefix.size());
    later_.emplace(name, number);
    longest_later_ = std::max(longest_later_, name.size());
  }
}

void WordPieces::append(std::string_view text, std::vector<std::int32_t>& out) const {
  bert_words(text, options_.text, [&](std::string_view word) { append_word(word, out); });
}

void WordPieces::append_word(std::string_view word, std::vector<std::int32_t>& out) const {
  const std::size_t before = out.size();
  const auto fail = [&] {
    out.resize(before);
    out.push_back(options_.unknown);
  };
  const auto characters =
      std::count_if(word.begin(), word.end(), [](char c) { return !continues_character(c); });
  if (characters > options_.longest_word) return fail();
  while (!word.empty()) {
    const bool begins = out.size() == before;
    const ByText<std::int32_t>& pieces = begins ? first_ : later_;
    std::size_t length = std::min(word.size(), begins ? longest_first_ : longest_later_);
    auto found = pieces.end();
    for (; length > 0; --length) {
      if (length < word.size() && continues_character(word[length])) continue;
      if (found = pieces.find(word.substr(0, length)); found != pieces.end()) break;
    }
    if (found == pieces.end()) return fail();
    out.push_back(found->second);
    word.remove_prefix(length);
  }
}

}  // namespace parsimony::data
