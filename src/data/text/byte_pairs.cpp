// Implements read_byte_pairs() of tokenizer.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/json_nesting.hpp"
#include "data/text/tokenizer_state.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony::data {
namespace {

constexpr std::int32_t kAbsent = -1;
constexpr std::int64_t kLargestTables = std::int64_t{1} << 28;
constexpr std::int64_t kLargestVocabulary = std::int64_t{1} << 24;

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorCode::format, fmt::format("{}: {}", path.string(), what));
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
std::vector<std::string> read_tokens(const std::filesystem::path& path, const PrintedBytes& printed) {
  const std::string table = read_file(path, kLargestTables);
  if (nests_too_deep(table))
    fail(path, "is not a table of tokens: its lists and objects lie too deep within each other");
  const nlohmann::json all = nlohmann::json::parse(table, nullptr, false);
  if (!all.is_object()) fail(path, "must be a JSON object of tokens and their numbers");
  const auto count = static_cast<std::int64_t>(all.size());
  std::vector<std::string> tokens(count);
  std::string bytes;
  for (const auto& [text, number] : all.items()) {
    if (!printed.read(text, bytes) || bytes.empty()) {
      fail(path, fmt::format("token \"{}\" is not written in the characters that stand for bytes", text));
    }
    const std::int64_t id = number.is_number_unsigned() ? number.get<std::int64_t>() : kAbsent;
    if (id < 0 || id >= std::min(count, kLargestVocabulary) || !tokens[id].empty()) {
      fail(path,
           fmt::format("token \"{}\" has the number {}; {} tokens must have those from 0 on, each its own",
                       text, number.dump(), count));
    }
    tokens[id] = bytes;
  }
  return tokens;
}

}  // namespace

Tokenizer read_byte_pairs(const std::filesystem::path& encoder, const std::filesystem::path& merges,
                          std::int64_t max_vocabulary) {
  const PrintedBytes printed;
  auto state = std::make_shared<Tokenizer::State>();
  std::vector<std::string> tokens = read_tokens(encoder, printed);
  ByText<std::int32_t> numbers;
  for (std::size_t i = 0; i < tokens.size(); ++i) numbers.emplace(tokens[i], static_cast<std::int32_t>(i));
  const std::int64_t kept =
      max_vocabulary > 0 ? std::min(max_vocabulary, std::ssize(tokens)) : std::ssize(tokens);
  for (int byte = 0; byte < 256; ++byte) {
    const auto found = numbers.find(std::string_view(std::string(1, static_cast<char>(byte))));
    if (found == numbers.end()) fail(encoder, fmt::format("there is no token for the byte {}", byte));
    if (found->second >= kept) {
      refuse(fmt::format("max_vocabulary: {} tokens leave out that of the byte {}, which is the {}th",
                         max_vocabulary, byte, found->second + 1));
    }
    state->of_byte[byte] = found->second;
  }

  const std::string text = read_file(merges, kLargestTables);
  std::string_view rest = text;
  std::string left, right;
  for (std::int32_t line = 1; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.ends_with('\r')) pair.remove_suffix(1);
    if (pair.empty() || (line == 1 && pair.starts_with("#version"))) continue;
    const auto wrong = [&](const char* what) { fail(merges, fmt::format("line {}: {}", line, what)); };
    const std::size_t space = pair.find(' ');
    if (space == pair.npos || !printed.read(pair.substr(0, space), left) ||
        !printed.read(pair.substr(space + 1), right) || left.empty() || right.empty()) {
      wrong("must be two tokens with a space between them");
    }
    const auto a = numbers.find(left), b = numbers.find(right), whole = numbers.find(left + right);
    if (a == numbers.end() || b == numbers.end() || whole == numbers.end()) {
      wrong("merges what is not among the tokens of the other file");
    }
    if (std::max({a->second, b->second, whole->second}) >= kept) continue;
    state->merges.try_emplace(pair_key(a->second, b->second), Merge{line, whole->second});
  }
  tokens.resize(kept);
  state->tokens = std::move(tokens);
  return Tokenizer(std::move(state));
}

}  // namespace parsimony::data
