#include "parsimony/run/language_tokens.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "run/model_path.hpp"

namespace parsimony::run {
namespace {

constexpr const char* kDictionary = "dict.txt";
constexpr std::string_view kLineEnd = "</s>";

}  // namespace

std::int64_t LanguageTokens::vocabulary() const {
  const auto* words = std::get_if<data::WordDictionary>(&tokens_);
  return words != nullptr ? words->size() : std::get<data::Tokenizer>(tokens_).vocabulary();
}

std::vector<std::int32_t> LanguageTokens::encode(std::string_view text) const {
  const auto* words = std::get_if<data::WordDictionary>(&tokens_);
  if (words == nullptr) return std::get<data::Tokenizer>(tokens_).encode(text);
  std::vector<std::int32_t> out = words->encode(text);
  // A text whose last line does not end goes on in this line.
  if (!out.empty() && !text.ends_with('\n') && words->word(out.back()) == kLineEnd) out.pop_back();
  return out;
}

std::string LanguageTokens::decode(std::span<const std::int32_t> tokens) const {
  const auto* words = std::get_if<data::WordDictionary>(&tokens_);
  if (words == nullptr) return std::get<data::Tokenizer>(tokens_).decode(tokens);
  std::string out;
  for (const std::int32_t token : tokens) {
    const std::string_view word = words->word(token);
    if (word == kLineEnd) {
      out += '\n';
      continue;
    }
    if (!out.empty() && out.back() != '\n') out += ' ';
    out += word;
  }
  return out;
}

LanguageTokens load_language_tokens(const std::filesystem::path& folder, std::int64_t vocabulary) {
  LanguageTokens out;
  std::string found;
  for (const auto& [encoder, merges] :
       {std::pair{"encoder.json", "vocab.bpe"}, std::pair{"vocab.json", "merges.txt"}}) {
    if (!has_file(folder / encoder)) continue;
    found = encoder;
    out = LanguageTokens(data::read_byte_pairs(folder / encoder, folder / merges, vocabulary));
    break;
  }
  if (found.empty() && has_file(folder / kDictionary)) {
    found = kDictionary;
    out = LanguageTokens(data::read_word_dictionary(folder / kDictionary));
  }
  if (out.vocabulary() == vocabulary) return out;
  if (found.empty()) {
    throw Error(ErrorCode::format,
                fmt::format("{}: has no tokenizer (encoder.json with vocab.bpe, vocab.json with merges.txt, "
                            "or dict.txt), so tokens are {}, and the network has {}",
                            folder.string(), count_of(out.vocabulary(), "byte"), vocabulary));
  }
  throw Error(ErrorCode::format,
              fmt::format("{}: the tokenizer has {}, and the network {}; must have as many",
                          (folder / found).string(), count_of(out.vocabulary(), "token"), vocabulary));
}

}  // namespace parsimony::run
