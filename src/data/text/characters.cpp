#include "data/text/characters.hpp"

#include <algorithm>
#include <iterator>

#include "data/text/unicode_tables.hpp"

namespace parsimony::data {
namespace {

template <std::size_t size>
bool is_in(const CharacterRange (&ranges)[size], char32_t c) {
  const CharacterRange* range =
      std::lower_bound(std::begin(ranges), std::end(ranges), c,
                       [](const CharacterRange& r, char32_t value) { return r.last < value; });
  return range != std::end(ranges) && range->first <= c;
}

// The last entry whose first character is not after c; nullptr without one.
template <class Entry, std::size_t size>
const Entry* entry_before(const Entry (&entries)[size], char32_t c) {
  const Entry* next = std::upper_bound(std::begin(entries), std::end(entries), c,
                                       [](char32_t value, const Entry& e) { return value < e.first; });
  return next == std::begin(entries) ? nullptr : next - 1;
}

CharacterClass look_up(char32_t c) {
  if (is_in(kLetters, c)) return CharacterClass::letter;
  if (is_in(kNumbers, c)) return CharacterClass::number;
  return is_in(kSpaces, c) ? CharacterClass::space : CharacterClass::other;
}

CharacterClass class_of_ascii(char32_t c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return CharacterClass::letter;
  if (c >= '0' && c <= '9') return CharacterClass::number;
  return c == ' ' || (c >= '\t' && c <= '\r') ? CharacterClass::space : CharacterClass::other;
}

}  // namespace

CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  constexpr CodePoint kBroken{kNotUtf8, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return kBroken;
  char32_t c = lead & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return kBroken;
    c = c << 6 | (byte(i) & 0x3F);
  }
  // Overlong sequences, surrogates of UTF-16 and values beyond Unicode are invalid.
  constexpr char32_t kFirstOfLength[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < kFirstOfLength[length] || (c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF) return kBroken;
  return {c, length};
}

Character first_character(std::string_view text) {
  const CodePoint c = first_code_point(text);
  return {c.value < 0x80 ? class_of_ascii(c.value) : look_up(c.value), c.length};
}

void append_utf8(std::string& text, char32_t c) {
  const auto add = [&](char32_t byte) { text += static_cast<char>(byte); };
  const auto follow = [&](int shift) { add(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0 | c >> 6);
    follow(0);
  } else if (c < 0x10000) {
    add(0xE0 | c >> 12);
    follow(6);
    follow(0);
  } else {
    add(0xF0 | c >> 18);
    follow(12);
    follow(6);
    follow(0);
  }
}

bool is_space(char32_t c) {
  return c < 0x80 ? class_of_ascii(c) == CharacterClass::space : is_in(kSpaces, c);
}

bool is_punctuation(char32_t c) {
  if (c < 0x80) return c > ' ' && c < 0x7F && class_of_ascii(c) == CharacterClass::other;
  return is_in(kPunctuation, c);
}

bool is_invisible(char32_t c) {
  return is_in(kInvisible, c);
}

bool is_chinese(char32_t c) {
  return is_in(kChinese, c);
}

std::u32string without_marks(char32_t c) {
  if (c < 0x80) return {c};
  constexpr char32_t kHangul = 0xAC00, kHangulEnd = 0xD7A4;
  if (c >= kHangul && c < kHangulEnd) {  // a consonant, a vowel and maybe a consonant
    const char32_t index = c - kHangul, last = index % 28;
    std::u32string out = {0x1100 + index / 588, 0x1161 + index % 588 / 28};
    if (last > 0) out.push_back(0x11A7 + last);
    return out;
  }
  if (is_in(kMarks, c)) return {};
  if (const CharacterPair* pair = entry_before(kWithoutMarks, c); pair && pair->first == c) {
    return {pair->becomes};
  }
  if (const CharacterParts* whole = entry_before(kParts, c); whole && whole->first == c) {
    std::u32string out;
    for (const char32_t part : whole->parts) {
      if (part != 0) out += part;
    }
    return out;
  }
  return {c};
}

std::u32string lower_case(char32_t c) {
  if (c < 0x80) return {c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c};
  if (c == 0x130) return {'i', 0x307};
  const CharacterChange* change = entry_before(kLowerCase, c);
  if (!change || c > change->last || (c - change->first) % static_cast<char32_t>(change->step) != 0) {
    return {c};
  }
  return {static_cast<char32_t>(static_cast<std::int32_t>(c) + change->distance)};
}

}  // namespace parsimony::data
