#include "data/text/tokenizer_json.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <utility>

#include "core/json_nesting.hpp"
#include "data/text/byte_pairs.hpp"
#include "data/text/json_field.hpp"
#include "data/text/word_pieces.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::data {
namespace {

constexpr std::int64_t kLargestToken = std::int64_t{1} << 24;
constexpr std::int64_t kLongestWord = std::int64_t{1} << 20;
constexpr std::size_t kLongestTemplate = 64;

class BytePairModel : public TextModel {
 public:
  BytePairModel(Tokenizer tokenizer, bool prefix_space)
      : tokenizer_(std::move(tokenizer)), prefix_space_(prefix_space) {}

  void append(std::string_view text, std::vector<std::int32_t>& out) const override {
    const bool prefix = prefix_space_ && !text.starts_with(' ');
    const auto tokens = prefix ? tokenizer_.encode(" " + std::string(text)) : tokenizer_.encode(text);
    out.insert(out.end(), tokens.begin(), tokens.end());
  }

 private:
  Tokenizer tokenizer_;
  bool prefix_space_;
};

void must_be_off(const JsonField& field) {
  if (field.is_absent() || field.json() == nlohmann::json(false) || field.json() == nlohmann::json(""))
    return;
  field.unsupported(fmt::format("is {}; only models without it are supported", field.json().dump()));
}

std::vector<MergeLine> merges_of(const JsonField& list) {
  std::vector<MergeLine> out;
  out.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const JsonField merge = list[i];
    const auto number = static_cast<std::int32_t>(i);
    if (merge.json().is_array()) {
      if (merge.size() != 2) merge.fail("must be two tokens");
      out.push_back({number, merge[std::size_t{0}].text(), merge[std::size_t{1}].text()});
      continue;
    }
    const std::string pair = merge.text();
    const std::size_t space = pair.find(' ');
    if (space == pair.npos) merge.fail("must be two tokens with a space between them");
    out.push_back({number, pair.substr(0, space), pair.substr(space + 1)});
  }
  return out;
}

void read_byte_pairs(const JsonField& root, SentenceTokenizer::State& state) {
  const JsonField model = root["model"];
  for (const char* field :
       {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges"}) {
    must_be_off(model[field]);
  }
  if (!root["normalizer"].is_absent()) root["normalizer"].unsupported("must be null beside a BPE model");
  const JsonField words = root["pre_tokenizer"];
  if (words.type() != "ByteLevel") words.unsupported("must have the type ByteLevel beside a BPE model");
  if (!words["use_regex"].flag(true)) words["use_regex"].unsupported("must be true");
  const bool prefix_space = words["add_prefix_space"].flag(true);
  state.names = vocabulary_of(model["vocab"].json(), model["vocab"].place());
  state.model = byte_pair_model(make_byte_pairs(state.names, merges_of(model["merges"]),
                                                {model["vocab"].place(), model["merges"].place(), "entry"}),
                                prefix_space);
}

void read_word_pieces(const JsonField& root, SentenceTokenizer::State& state) {
  const JsonField model = root["model"];
  const JsonField cleaning = root["normalizer"];
  if (cleaning.type() != "BertNormalizer") {
    cleaning.unsupported("must have the type BertNormalizer beside a WordPiece model");
  }
  const JsonField words = root["pre_tokenizer"];
  if (words.type() != "BertPreTokenizer") {
    words.unsupported("must have the type BertPreTokenizer beside a WordPiece model");
  }
  WordPieceOptions options;
  options.text.clean = cleaning["clean_text"].flag(true);
  options.text.split_chinese = cleaning["handle_chinese_chars"].flag(true);
  options.text.lower_case = cleaning["lowercase"].flag(true);
  options.text.strip_accents = cleaning["strip_accents"].flag(options.text.lower_case);
  state.names = vocabulary_of(model["vocab"].json(), model["vocab"].place());
  const std::string unknown = model["unk_token"].text();
  for (std::size_t i = 0; i < state.names.size(); ++i) {
    if (state.names[i] == unknown) options.unknown = static_cast<std::int32_t>(i);
  }
  if (options.unknown == kNoToken) {
    model["unk_token"].fail(fmt::format("is \"{}\", which is not in the vocabulary", unknown));
  }
  if (const JsonField prefix = model["continuing_subword_prefix"]; !prefix.is_absent()) {
    options.prefix = prefix.text();
    if (options.prefix.empty()) prefix.unsupported("must not be empty");
  }
  if (const JsonField longest = model["max_input_chars_per_word"]; !longest.is_absent()) {
    options.longest_word = longest.whole(kLongestWord);
  }
  state.model = std::make_unique<WordPieces>(state.names, options);
}

void read_added_tokens(const JsonField& list, bool normalizes, SentenceTokenizer::State& state) {
  ByText<std::int32_t> numbers;
  for (std::size_t i = 0; i < state.names.size(); ++i) {
    numbers.emplace(state.names[i], static_cast<std::int32_t>(i));
  }
  std::map<std::int64_t, std::string> beyond;  // the vocabulary
  for (std::size_t i = 0; i < list.size(); ++i) {
    const JsonField added = list[i];
    const std::int64_t id = added["id"].whole(kLargestToken);
    std::string name = added["content"].text();
    if (name.empty()) added["content"].fail("must not be empty");
    if (added["single_word"].flag(false)) added["single_word"].unsupported("must be false");
    const bool normalized = added["normalized"].flag(false);
    if (normalized && normalizes) added["normalized"].unsupported("must be false beside a normalizer");
    const auto [known, is_new] = numbers.try_emplace(name, static_cast<std::int32_t>(id));
    if (known->second != id) {
      added["id"].fail(fmt::format("is {}, but \"{}\" is the token {}", id, name, known->second));
    }
    if (is_new && !beyond.emplace(id, name).second) {
      added["id"].fail(fmt::format("is {}, which another added token has", id));
    }
    const AddedToken token{known->second, added["lstrip"].flag(false), added["rstrip"].flag(false)};
    (normalized ? state.second_pass : state.first_pass).add(std::move(name), token);
  }
  for (auto& [id, name] : beyond) {
    if (id != std::ssize(state.names)) {
      list.fail(fmt::format("gives \"{}\" the number {}; after the tokens before it comes {}", name, id,
                            state.names.size()));
    }
    state.names.push_back(std::move(name));
  }
}

Template read_template(const JsonField& list, const JsonField& special, bool pair, std::int64_t vocabulary) {
  Template out;
  int firsts = 0, seconds = 0;
  if (list.size() > kLongestTemplate)
    list.unsupported(fmt::format("has more than {} parts", kLongestTemplate));
  for (std::size_t i = 0; i < list.size(); ++i) {
    const JsonField part = list[i];
    if (const JsonField text = part["Sequence"]; !text.is_absent()) {
      const std::string id = text["id"].text();
      const auto type = static_cast<std::int32_t>(text["type_id"].whole(kLargestToken));
      if (id != "A" && (id != "B" || !pair)) text["id"].fail("must be A, or B in a pair");
      ++(id == "A" ? firsts : seconds);
      out.push_back({id == "A" ? TemplatePart::Kind::first : TemplatePart::Kind::second, type, kNoToken});
      continue;
    }
    const JsonField token = part["SpecialToken"];
    if (token.is_absent()) part.fail("must be a SpecialToken or a Sequence");
    const std::string id = token["id"].text();
    const auto type = static_cast<std::int32_t>(token["type_id"].whole(kLargestToken));
    const JsonField ids = special[id.c_str()]["ids"];
    if (ids.size() > kLongestTemplate)
      ids.unsupported(fmt::format("has more than {} tokens", kLongestTemplate));
    for (std::size_t k = 0; k < ids.size(); ++k) {
      out.push_back(
          {TemplatePart::Kind::token, type, static_cast<std::int32_t>(ids[k].whole(vocabulary - 1))});
    }
  }
  if (firsts != 1 || seconds != (pair ? 1 : 0)) {
    list.fail(pair ? "must have the sequences A and B once" : "must have the sequence A once");
  }
  return out;
}

void read_templates(const JsonField& processor, SentenceTokenizer::State& state) {
  const std::string type = processor.type();
  const std::int64_t vocabulary = std::ssize(state.names);
  if (type == "TemplateProcessing") {
    const JsonField special = processor["special_tokens"];
    state.single = read_template(processor["single"], special, false, vocabulary);
    state.pair = read_template(processor["pair"], special, true, vocabulary);
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    const auto token = [&](const char* key) {
      const JsonField field = processor[key];
      if (field.size() != 2) field.fail("must be a token and its number");
      return static_cast<std::int32_t>(field[std::size_t{1}].whole(vocabulary - 1));
    };
    set_templates(state, token("cls"), token("sep"), type == "RobertaProcessing");
  } else if (type.empty() || type == "ByteLevel") {
    state.single = {{TemplatePart::Kind::first, 0}};
    state.pair = {{TemplatePart::Kind::first, 0}, {TemplatePart::Kind::second, 1}};
  } else {
    processor.unsupported(fmt::format(
        "has the type {}; must be TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel or null",
        type));
  }
}

}  // namespace

std::unique_ptr<TextModel> byte_pair_model(Tokenizer tokenizer, bool prefix_space) {
  return std::make_unique<BytePairModel>(std::move(tokenizer), prefix_space);
}

SentenceTokenizer parse_tokenizer_json(const std::string& text, const std::string& name) {
  nlohmann::json json;
  if (!nests_too_deep(text)) json = nlohmann::json::parse(text, nullptr, false);
  const JsonField root(json, name);
  if (!json.is_object() || !json.contains("model")) {
    root.fail("must be a tokenizer.json: a JSON object with the field \"model\"");
  }
  auto state = std::make_shared<SentenceTokenizer::State>();
  const std::string kind = root["model"]["type"].is_absent() && root["model"]["merges"].json().is_array()
                               ? "BPE"
                               : root["model"].type();
  if (kind == "BPE") {
    read_byte_pairs(root, *state);
  } else if (kind == "WordPiece") {
    read_word_pieces(root, *state);
  } else {
    root["model"]["type"].unsupported(fmt::format("is \"{}\"; must be BPE or WordPiece", kind));
  }
  read_added_tokens(root["added_tokens"], !root["normalizer"].is_absent(), *state);
  read_templates(root["post_processor"], *state);
  state->index_names();
  return SentenceTokenizer(std::move(state));
}

}  // namespace parsimony::data
