// The tables of a tokenizer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "parsimony/data/tokenizer.hpp"

namespace parsimony::data {

struct Merge {
  std::int32_t rank, token;
};

/// The key of two adjacent tokens.
inline std::uint64_t pair_key(std::int32_t a, std::int32_t b) {
  return static_cast<std::uint64_t>(a) << 32 | static_cast<std::uint32_t>(b);
}

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class Value>
using ByText = std::unordered_map<std::string, Value, StringHash, std::equal_to<>>;

struct Tokenizer::State {
  std::vector<std::string> tokens;                  ///< bytes of each
  std::int32_t of_byte[256] = {};                   ///< token of a single one
  std::unordered_map<std::uint64_t, Merge> merges;  ///< by pair_key

  /// Appends the tokens of a word that is not empty.
  void merge_word(std::string_view word, std::vector<std::int32_t>& out) const;
};

}  // namespace parsimony::data
