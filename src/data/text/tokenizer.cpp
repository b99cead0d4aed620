#include "parsimony/data/tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <tuple>

#include "data/text/tokenizer_state.hpp"
#include "data/text/words.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::data {
namespace {

constexpr std::int32_t kNoLink = -1;

// A token of the word in a doubly linked list.
struct Link {
  std::int32_t token;
  std::int32_t before, after;
};

}  // namespace

// Merges the pair of the best rank first, the leftmost of equal ones. The queue still has pairs whose tokens
// have since been merged; these are skipped.
void Tokenizer::State::merge_word(std::string_view word, std::vector<std::int32_t>& out) const {
  const auto count = static_cast<std::int32_t>(word.size());
  std::vector<Link> links(count);
  for (std::int32_t i = 0; i < count; ++i) {
    links[i] = {of_byte[static_cast<unsigned char>(word[i])], i - 1, i + 1 < count ? i + 1 : kNoLink};
  }
  using Candidate = std::tuple<std::int32_t, std::int32_t, std::uint64_t>;  // rank, left link, the pair
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto offer = [&](std::int32_t left) {
    if (left == kNoLink || links[left].after == kNoLink) return;
    const std::uint64_t key = pair_key(links[left].token, links[links[left].after].token);
    if (const auto merge = merges.find(key); merge != merges.end()) {
      queue.emplace(merge->second.rank, left, key);
    }
  };
  for (std::int32_t i = 0; i < count; ++i) offer(i);
  while (!queue.empty()) {
    const auto [rank, left, key] = queue.top();
    queue.pop();
    Link& link = links[left];
    if (link.token == kNoLink || link.after == kNoLink) continue;
    if (pair_key(link.token, links[link.after].token) != key) continue;
    Link& gone = links[link.after];
    link.token = merges.at(key).token;
    link.after = gone.after;
    gone.token = kNoLink;
    if (link.after != kNoLink) links[link.after].before = left;
    offer(link.before);
    offer(left);
  }
  for (std::int32_t i = 0; i != kNoLink; i = links[i].after) out.push_back(links[i].token);
}

Tokenizer::Tokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Tokenizer::Tokenizer() {
  auto state = std::make_shared<State>();
  for (int byte = 0; byte < 256; ++byte) {
    state->tokens.emplace_back(1, static_cast<char>(byte));
    state->of_byte[byte] = byte;
  }
  state_ = std::move(state);
}

std::int64_t Tokenizer::vocabulary() const {
  return std::ssize(state_->tokens);
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<std::int32_t> out;
  if (state_->merges.empty()) {
    out.reserve(text.size());
    for (const char c : text) out.push_back(state_->of_byte[static_cast<unsigned char>(c)]);
    return out;
  }
  constexpr std::size_t kLongestKept = 64, kMostKept = std::size_t{1} << 18;
  constexpr std::size_t kLongestWord = std::size_t{1} << 30;  // links are 32-bit numbers
  ByText<std::vector<std::int32_t>> known;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::string_view word = text.substr(begin, std::min(first_word(text.substr(begin)), kLongestWord));
    begin += word.size();
    if (const auto found = known.find(word); found != known.end()) {
      out.insert(out.end(), found->second.begin(), found->second.end());
      continue;
    }
    const std::size_t before = out.size();
    state_->merge_word(word, out);
    if (word.size() <= kLongestKept && known.size() < kMostKept) {
      known.emplace(word,
                    std::vector<std::int32_t>(out.begin() + static_cast<std::ptrdiff_t>(before), out.end()));
    }
  }
  return out;
}

std::string_view Tokenizer::bytes(std::int32_t token) const {
  if (token < 0 || token >= vocabulary()) {
    refuse(fmt::format("token {}: there are the tokens 0 to {}", token, vocabulary() - 1));
  }
  return state_->tokens[token];
}

std::string Tokenizer::decode(std::span<const std::int32_t> tokens) const {
  std::string out;
  for (const std::int32_t token : tokens) out += bytes(token);
  return out;
}

}  // namespace parsimony::data
