#include "parsimony/data/sentence_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/count_of.hpp"
#include "data/text/sentence_state.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::data {
namespace {

using Tokens = std::vector<std::int32_t>;

std::int64_t special_tokens_in(const Template& parts) {
  return std::count_if(parts.begin(), parts.end(),
                       [](const TemplatePart& part) { return part.kind == TemplatePart::Kind::token; });
}

// Lengths of two texts that are to have `room` tokens together.
std::pair<std::int64_t, std::int64_t> shortened(std::int64_t first, std::int64_t second, std::int64_t room) {
  const bool swapped = first > second;
  std::int64_t shorter = std::min(first, second), longer = std::max(first, second);
  if (shorter + longer > room) {
    longer = shorter > room ? shorter : std::max(shorter, room - shorter);
    if (shorter + longer > room) {
      shorter = room / 2;
      longer = room - shorter;
    }
  }
  return swapped ? std::pair{longer, shorter} : std::pair{shorter, longer};
}

std::int64_t room_in(const Template& parts, std::int64_t max_length) {
  const std::int64_t taken = special_tokens_in(parts);
  if (max_length < taken) {
    refuse(fmt::format("max_length: {} is fewer than the {}", max_length, count_of(taken, "special token")));
  }
  return max_length - taken;
}

EncodedText fill(const Template& parts, const Tokens& first, const Tokens& second) {
  EncodedText out;
  for (const TemplatePart& part : parts) {
    if (part.kind == TemplatePart::Kind::token) {
      out.tokens.push_back(part.token);
    } else {
      const Tokens& text = part.kind == TemplatePart::Kind::first ? first : second;
      out.tokens.insert(out.tokens.end(), text.begin(), text.end());
    }
    out.types.resize(out.tokens.size(), part.type);
  }
  return out;
}

}  // namespace

void SentenceTokenizer::State::index_names() {
  numbers.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) numbers.emplace(names[i], static_cast<std::int32_t>(i));
  const auto either = [&](std::string_view bert, std::string_view roberta) {
    if (const auto found = numbers.find(bert); found != numbers.end()) return found->second;
    const auto found = numbers.find(roberta);
    return found == numbers.end() ? kNoToken : found->second;
  };
  special = {either("[CLS]", "<s>"), either("[SEP]", "</s>"), either("[PAD]", "<pad>"),
             either("[UNK]", "<unk>"), either("[MASK]", "<mask>")};
}

void set_templates(SentenceTokenizer::State& state, std::int32_t begin, std::int32_t separator,
                   bool roberta) {
  using Kind = TemplatePart::Kind;
  const TemplatePart end{Kind::token, 0, separator};
  const std::int32_t second = roberta ? 0 : 1;
  state.single = {{Kind::token, 0, begin}, {Kind::first, 0}, end};
  state.pair = state.single;
  if (roberta) state.pair.push_back(end);
  state.pair.push_back({Kind::second, second});
  state.pair.push_back({Kind::token, second, separator});
}

SentenceTokenizer::SentenceTokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}

std::int64_t SentenceTokenizer::vocabulary() const {
  return std::ssize(state_->names);
}

const SpecialTokens& SentenceTokenizer::special() const {
  return state_->special;
}

std::string_view SentenceTokenizer::name(std::int32_t token) const {
  if (token < 0 || token >= vocabulary()) {
    refuse(fmt::format("token {}: there are the tokens 0 to {}", token, vocabulary() - 1));
  }
  return state_->names[token];
}

std::int32_t SentenceTokenizer::token(std::string_view name) const {
  const auto found = state_->numbers.find(name);
  return found == state_->numbers.end() ? kNoToken : found->second;
}

Tokens SentenceTokenizer::tokens_of(std::string_view text) const {
  Tokens out;
  state_->first_pass.split(
      text, [&](std::int32_t token) { out.push_back(token); },
      [&](std::string_view part) {
        state_->second_pass.split(
            part, [&](std::int32_t token) { out.push_back(token); },
            [&](std::string_view rest) { state_->model->append(rest, out); });
      });
  return out;
}

EncodedText SentenceTokenizer::encode(std::string_view text, std::int64_t max_length) const {
  Tokens tokens = tokens_of(text);
  if (max_length > 0) {
    tokens.resize(std::min<std::int64_t>(std::ssize(tokens), room_in(state_->single, max_length)));
  }
  return fill(state_->single, tokens, {});
}

EncodedText SentenceTokenizer::encode_pair(std::string_view first, std::string_view second,
                                           std::int64_t max_length) const {
  Tokens a = tokens_of(first), b = tokens_of(second);
  if (max_length > 0) {
    const auto [left, right] = shortened(std::ssize(a), std::ssize(b), room_in(state_->pair, max_length));
    a.resize(left);
    b.resize(right);
  }
  return fill(state_->pair, a, b);
}

}  // namespace parsimony::data
