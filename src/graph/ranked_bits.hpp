// A set of numbers 0..size − 1 as bits, with the place of each member among the members.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace parsimony::graph {

/// insert() each member, then count(), then ask. 12 bytes for 64 numbers; a look-up reads two words.
class RankedBits {
 public:
  RankedBits() = default;
  explicit RankedBits(std::uint64_t size) : bits_(size / 64 + (size % 64 != 0)) {}

  bool empty() const { return bits_.empty(); }

  /// Bit i of word w is number 64 w + i; for sets that are united before count().
  std::span<std::uint64_t> words() { return bits_; }

  /// Several threads may insert at once.
  void insert(std::uint64_t number) {
    const std::uint64_t bit = std::uint64_t{1} << number % 64;
    const std::atomic_ref word(bits_[number / 64]);
    if (!(word.load(std::memory_order_relaxed) & bit)) word.fetch_or(bit, std::memory_order_relaxed);
  }

  bool has(std::uint64_t number) const { return bits_[number / 64] >> number % 64 & 1; }

  /// Returns the number of members. rank() is exact if it is below 2^31.
  std::int64_t count() {
    std::int64_t members = 0;
    below_.resize(bits_.size());
    for (std::size_t w = 0; w < bits_.size(); ++w) {
      below_[w] = static_cast<std::int32_t>(members);
      members += std::popcount(bits_[w]);
    }
    return members;
  }

  /// The number of members below this one.
  std::int32_t rank(std::uint64_t number) const {
    const std::uint64_t below = bits_[number / 64] & ((std::uint64_t{1} << number % 64) - 1);
    return below_[number / 64] + std::popcount(below);
  }

  /// Calls body(member) for each, ascending.
  template <class Body>
  void for_each(const Body& body) const {
    for (std::size_t w = 0; w < bits_.size(); ++w) {
      for (std::uint64_t left = bits_[w]; left != 0; left &= left - 1) {
        body(64 * static_cast<std::uint64_t>(w) + std::countr_zero(left));
      }
    }
  }

 private:
  std::vector<std::uint64_t> bits_;
  std::vector<std::int32_t> below_;  // members before each word
};

}  // namespace parsimony::graph
