// The parts of reading byte pairs: tables of tokens and lists of merges, wherever they stand.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/text/tokenizer_state.hpp"

namespace parsimony::data {

/// A merge as it is written, and its place in the file.
struct MergeLine {
  std::int32_t number;
  std::string left, right;
};

/// Names of the places, for messages: file or field of the tokens, of the merges, and the word before the
/// number of a merge.
struct BytePairSource {
  std::string vocabulary, merges;
  const char* unit;
};

/// A whole file that must hold a JSON object. `meaning` goes into the message.
nlohmann::json read_json_object(const std::filesystem::path& path, const char* meaning);

/// The names of the tokens by their numbers, which must be those from 0 on. Throws format, after `file`.
std::vector<std::string> vocabulary_of(const nlohmann::json& table, const std::string& file);

/// The lines of a merges.txt.
std::vector<MergeLine> read_merge_lines(const std::filesystem::path& path);

/// Throws as read_byte_pairs() does.
Tokenizer make_byte_pairs(const std::vector<std::string>& names, const std::vector<MergeLine>& merges,
                          const BytePairSource& source, std::int64_t max_vocabulary = 0);

}  // namespace parsimony::data
