// Implements load_tokenizer() of parsimony/data/sentence_tokenizer.hpp.
#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "data/text/byte_pairs.hpp"
#include "data/text/json_field.hpp"
#include "data/text/tokenizer_json.hpp"
#include "data/text/word_pieces.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/file_error.hpp"
#include "parsimony/core/lines.hpp"

namespace parsimony::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLargestFile = std::int64_t{1} << 28;

std::int32_t token_or_fail(const SentenceTokenizer::State& state, const char* name, const fs::path& file) {
  const auto found = state.numbers.find(std::string_view(name));
  if (found == state.numbers.end()) {
    throw Error(ErrorCode::format, fmt::format("{}: there is no token {}", file.string(), name));
  }
  return found->second;
}

SentenceTokenizer load_byte_pairs(const fs::path& vocabulary, const fs::path& merges) {
  auto state = std::make_shared<SentenceTokenizer::State>();
  state->names = vocabulary_of(read_json_object(vocabulary, "a table of tokens"), vocabulary.string());
  state->model = byte_pair_model(
      make_byte_pairs(state->names, read_merge_lines(merges), {vocabulary.string(), merges.string(), "line"}),
      false);
  state->index_names();
  for (const char* name : {"<s>", "</s>", "<pad>", "<unk>", "<mask>"}) {
    // RoBERTa's mask takes the space before it.
    state->first_pass.add(
        name, {token_or_fail(*state, name, vocabulary), name == std::string_view("<mask>"), false});
  }
  set_templates(*state, state->special.begin, state->special.separator, true);
  return SentenceTokenizer(std::move(state));
}

std::vector<std::string> read_lines(const fs::path& file) {
  std::vector<std::string> names = lines_of(read_file(file, kLargestFile));
  ByText<std::size_t> lines;
  for (std::size_t line = 1; line <= names.size(); ++line) {
    const std::string& name = names[line - 1];
    const auto [before, is_new] = lines.try_emplace(name, line);
    if (name.empty() || !is_new) {
      throw Error(ErrorCode::format,
                  fmt::format("{}: line {} {}; each line must be a token of its own", file.string(), line,
                              name.empty() ? "is empty" : fmt::format("repeats line {}", before->second)));
    }
  }
  return names;
}

BertText read_bert_text(const fs::path& config) {
  BertText out;
  if (!fs::exists(config)) return out;
  const nlohmann::json json = read_json_object(config, "the settings of a tokenizer");
  const JsonField root(json, config.string());
  out.lower_case = root["do_lower_case"].flag(true);
  out.strip_accents = root["strip_accents"].flag(out.lower_case);
  out.split_chinese = root["tokenize_chinese_chars"].flag(true);
  return out;
}

SentenceTokenizer load_word_pieces(const fs::path& file) {
  auto state = std::make_shared<SentenceTokenizer::State>();
  state->names = read_lines(file);
  state->index_names();
  for (const char* name : {"[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"}) {
    state->first_pass.add(name, {token_or_fail(*state, name, file), false, false});
  }
  WordPieceOptions options;
  options.text = read_bert_text(file.parent_path() / "tokenizer_config.json");
  options.unknown = state->special.unknown;
  state->model = std::make_unique<WordPieces>(state->names, options);
  set_templates(*state, state->special.begin, state->special.separator, false);
  return SentenceTokenizer(std::move(state));
}

}  // namespace

SentenceTokenizer load_tokenizer(const fs::path& path) {
  if (fs::is_directory(path)) {
    for (const char* name : {"tokenizer.json", "vocab.json", "vocab.txt"}) {
      if (fs::exists(path / name)) return load_tokenizer(path / name);
    }
    throw FileError(
        ENOENT, fmt::format("{}: the folder has no tokenizer.json, vocab.json (with merges.txt) or vocab.txt",
                            path.string()));
  }
  const std::string name = path.filename().string();
  if (name == "vocab.json" || name == "merges.txt") {
    return load_byte_pairs(path.parent_path() / "vocab.json", path.parent_path() / "merges.txt");
  }
  if (path.extension() == ".txt") return load_word_pieces(path);
  return parse_tokenizer_json(read_file(path, kLargestFile), path.string());
}

}  // namespace parsimony::data
