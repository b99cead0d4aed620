#include "data/text/byte_pairs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/count_of.hpp"
#include "core/json_nesting.hpp"
#include "data/text/tokenizer_state.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony::data {
namespace {

constexpr std::int32_t kAbsent = -1;
constexpr std::int64_t kLargestTables = std::int64_t{1} << 28;
constexpr std::int64_t kLargestVocabulary = std::int64_t{1} << 24;

[[noreturn]] void fail(const std::string& file, const std::string& what) {
  throw Error(ErrorCode::format, fmt::format("{}: {}", file, what));
}

// The files encode each byte as a printable character: the byte itself if it is printable, else one from
// U+0100 on.
struct PrintedBytes {
  std::int32_t byte_of[0x180];

  PrintedBytes() {
    std::fill(std::begin(byte_of), std::end(byte_of), kAbsent);
    int hidden = 0;
    for (int byte = 0; byte < 256; ++byte) {
      const bool printed = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
      byte_of[printed ? byte : 0x100 + hidden++] = byte;
    }
  }

  // False if the text is not encoded like that.
  bool read(std::string_view text, std::string& out) const {
    out.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::uint32_t c = static_cast<unsigned char>(text[i]);
      if (c >= 0x80) {  // all of them have two bytes
        if ((c & 0xE0) != 0xC0 || i + 1 == text.size()) return false;
        c = (c & 0x1F) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F);
      }
      if (c >= std::size(byte_of) || byte_of[c] == kAbsent) return false;
      out += static_cast<char>(byte_of[c]);
    }
    return true;
  }
};

// The bytes of each token, by its number.
std::vector<std::string> read_tokens(const std::vector<std::string>& names, const PrintedBytes& printed,
                                     const std::string& file) {
  std::vector<std::string> tokens(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!printed.read(names[i], tokens[i]) || tokens[i].empty()) {
      fail(file, fmt::format("token \"{}\" is not written in the characters that stand for bytes", names[i]));
    }
  }
  return tokens;
}

}  // namespace

std::vector<std::string> vocabulary_of(const nlohmann::json& table, const std::string& file) {
  if (!table.is_object()) fail(file, "must be a JSON object of tokens and their numbers");
  const auto count = static_cast<std::int64_t>(table.size());
  std::vector<std::string> names(count);
  std::vector<bool> taken(count);
  for (const auto& [text, number] : table.items()) {
    const std::int64_t id = number.is_number_unsigned() ? number.get<std::int64_t>() : kAbsent;
    if (id < 0 || id >= std::min(count, kLargestVocabulary) || taken[id]) {
      fail(file, fmt::format("token \"{}\" has the number {}; {} must have those from 0 on, each its own",
                             text, number.dump(), count_of(count, "token")));
    }
    taken[id] = true;
    names[id] = text;
  }
  return names;
}

nlohmann::json read_json_object(const std::filesystem::path& path, const char* meaning) {
  const std::string text = read_file(path, kLargestTables);
  if (nests_too_deep(text)) {
    fail(path.string(),
         fmt::format("is not {}: its lists and objects lie too deep within each other", meaning));
  }
  nlohmann::json all = nlohmann::json::parse(text, nullptr, false);
  if (!all.is_object()) fail(path.string(), fmt::format("must be a JSON object: {}", meaning));
  return all;
}

std::vector<MergeLine> read_merge_lines(const std::filesystem::path& path) {
  const std::string text = read_file(path, kLargestTables);
  std::vector<MergeLine> out;
  std::string_view rest = text;
  for (std::int32_t line = 1; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.ends_with('\r')) pair.remove_suffix(1);
    if (pair.empty() || (line == 1 && pair.starts_with("#version"))) continue;
    const std::size_t space = pair.find(' ');
    if (space == pair.npos) {
      fail(path.string(), fmt::format("line {}: must be two tokens with a space between them", line));
    }
    out.push_back({line, std::string(pair.substr(0, space)), std::string(pair.substr(space + 1))});
  }
  return out;
}

Tokenizer make_byte_pairs(const std::vector<std::string>& names, const std::vector<MergeLine>& merges,
                          const BytePairSource& source, std::int64_t max_vocabulary) {
  const PrintedBytes printed;
  auto state = std::make_shared<Tokenizer::State>();
  std::vector<std::string> tokens = read_tokens(names, printed, source.vocabulary);
  ByText<std::int32_t> numbers;
  for (std::size_t i = 0; i < tokens.size(); ++i) numbers.emplace(tokens[i], static_cast<std::int32_t>(i));
  const std::int64_t kept =
      max_vocabulary > 0 ? std::min(max_vocabulary, std::ssize(tokens)) : std::ssize(tokens);
  for (int byte = 0; byte < 256; ++byte) {
    const auto found = numbers.find(std::string_view(std::string(1, static_cast<char>(byte))));
    if (found == numbers.end()) {
      fail(source.vocabulary, fmt::format("there is no token for the byte {}", byte));
    }
    if (found->second >= kept) {
      refuse(fmt::format("max_vocabulary: {} {} out that of the byte {}, which is the {}th",
                         count_of(max_vocabulary, "token"), noun_of(max_vocabulary, "leaves", "leave"), byte,
                         found->second + 1));
    }
    state->of_byte[byte] = found->second;
  }

  std::string left, right;
  for (const MergeLine& merge : merges) {
    const auto wrong = [&](const char* what) {
      fail(source.merges, fmt::format("{} {}: {}", source.unit, merge.number, what));
    };
    if (!printed.read(merge.left, left) || !printed.read(merge.right, right) || left.empty() ||
        right.empty()) {
      wrong("must be two tokens with a space between them");
    }
    const auto a = numbers.find(left), b = numbers.find(right), whole = numbers.find(left + right);
    if (a == numbers.end() || b == numbers.end() || whole == numbers.end()) {
      wrong("merges what is not among the tokens of the vocabulary");
    }
    if (std::max({a->second, b->second, whole->second}) >= kept) continue;
    state->merges.try_emplace(pair_key(a->second, b->second), Merge{merge.number, whole->second});
  }
  tokens.resize(kept);
  state->tokens = std::move(tokens);
  return Tokenizer(std::move(state));
}

Tokenizer read_byte_pairs(const std::filesystem::path& encoder, const std::filesystem::path& merges,
                          std::int64_t max_vocabulary) {
  const nlohmann::json table = read_json_object(encoder, "a table of tokens");
  return make_byte_pairs(vocabulary_of(table, encoder.string()), read_merge_lines(merges),
                         {encoder.string(), merges.string(), "line"}, max_vocabulary);
}

}  // namespace parsimony::data
