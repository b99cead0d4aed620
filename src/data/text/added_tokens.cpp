#include "data/text/added_tokens.hpp"

#include <algorithm>
#include <utility>

#include "data/text/characters.hpp"

namespace parsimony::data {
namespace {

// Begin of the white space at the end of text[0, end), not before `from`.
std::size_t before_spaces(std::string_view text, std::size_t from, std::size_t end) {
  while (end > from) {
    std::size_t begin = end - 1;
    while (begin > from && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    const CodePoint c = first_code_point(text.substr(begin, end - begin));
    if (begin + c.length != end || !is_space(c.value)) break;
    end = begin;
  }
  return end;
}

std::size_t after_spaces(std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    const CodePoint c = first_code_point(text.substr(begin));
    if (!is_space(c.value)) break;
    begin += c.length;
  }
  return begin;
}

}  // namespace

void AddedTokens::add(std::string name, AddedToken token) {
  begins_[static_cast<unsigned char>(name[0])] = true;
  const auto place = std::lower_bound(lengths_.begin(), lengths_.end(), name.size(), std::greater<>());
  if (place == lengths_.end() || *place != name.size()) lengths_.insert(place, name.size());
  names_.try_emplace(std::move(name), token);
}

void AddedTokens::split(std::string_view text, const std::function<void(std::int32_t)>& token,
                        const std::function<void(std::string_view)>& rest) const {
  std::size_t from = 0;  // begin of the part that no token has
  for (std::size_t i = 0; i < text.size();) {
    const AddedToken* found = nullptr;
    std::size_t end = i;
    if (begins_[static_cast<unsigned char>(text[i])]) {
      for (const std::size_t length : lengths_) {
        if (length > text.size() - i) continue;
        if (const auto name = names_.find(text.substr(i, length)); name != names_.end()) {
          found = &name->second;
          end = i + length;
          break;
        }
      }
    }
    if (!found) {
      ++i;
      continue;
    }
    const std::size_t begin = found->takes_left ? before_spaces(text, from, i) : i;
    if (begin > from) rest(text.substr(from, begin - from));
    token(found->token);
    from = i = found->takes_right ? after_spaces(text, end) : end;
  }
  if (from < text.size()) rest(text.substr(from));
}

}  // namespace parsimony::data
