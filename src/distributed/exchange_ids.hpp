// Ids on their way between processes: integers as they are, words as lengths and bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "distributed/communicator.hpp"

namespace parsimony::distributed {

/// Ids from each process; words are views into `bytes`.
template <class Id>
struct ReceivedIds {
  std::vector<std::vector<Id>> ids;
  std::vector<std::vector<char>> bytes;
};

/// The words of these lengths that follow each other in the bytes.
inline std::vector<std::string_view> cut_words(const std::vector<char>& bytes,
                                               const std::vector<std::int64_t>& lengths) {
  std::vector<std::string_view> out;
  out.reserve(lengths.size());
  std::size_t at = 0;
  for (const std::int64_t length : lengths) {
    out.emplace_back(bytes.data() + at, static_cast<std::size_t>(length));
    at += static_cast<std::size_t>(length);
  }
  return out;
}

/// The lengths of words, and their bytes one after the other.
template <class Word>
std::pair<std::vector<std::int64_t>, std::vector<char>> packed_words(std::span<const Word> words) {
  std::pair<std::vector<std::int64_t>, std::vector<char>> out;
  for (const std::string_view word : words) {
    out.first.push_back(std::ssize(word));
    out.second.insert(out.second.end(), word.begin(), word.end());
  }
  return out;
}

/// send: the ids for each process. Collective.
template <class Id>
ReceivedIds<Id> exchange_ids(const Communicator& communicator, const std::vector<std::span<const Id>>& send) {
  ReceivedIds<Id> out;
  if constexpr (std::is_same_v<Id, std::string_view>) {
    std::vector<std::vector<std::int64_t>> lengths;
    std::vector<std::vector<char>> bytes;
    for (const auto& words : send) {
      auto [of_words, text] = packed_words(words);
      lengths.push_back(std::move(of_words));
      bytes.push_back(std::move(text));
    }
    lengths = communicator.exchange(std::move(lengths));
    out.bytes = communicator.exchange(std::move(bytes));
    for (std::size_t p = 0; p < lengths.size(); ++p) out.ids.push_back(cut_words(out.bytes[p], lengths[p]));
  } else {
    std::vector<std::vector<Id>> copies;
    for (const auto& ids : send) copies.emplace_back(ids.begin(), ids.end());
    out.ids = communicator.exchange(std::move(copies));
  }
  return out;
}

/// The ids of all processes in each of them, as one list.
template <class Id>
ReceivedIds<Id> gather_ids(const Communicator& communicator, std::span<const Id> ids) {
  ReceivedIds<Id> out;
  if constexpr (std::is_same_v<Id, std::string_view>) {
    const auto [lengths, bytes] = packed_words(ids);
    const std::vector<std::int64_t> all = communicator.gather(std::span(lengths));
    out.bytes.push_back(communicator.gather(std::span(bytes)));
    out.ids.push_back(cut_words(out.bytes[0], all));
  } else {
    out.ids.push_back(communicator.gather(ids));
  }
  return out;
}

}  // namespace parsimony::distributed
