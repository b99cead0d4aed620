// Counter-based random numbers: each number depends only on (seed, stream, position), never on threads or the
// order of calls. Philox4x32-10 [salmon2011philox] from the Random123 library.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace parsimony {

/// The number of a stream: FNV-1a of the name of its purpose ("kmeans.seeding"), mixed with an index (a
/// restart, a column).
constexpr std::uint64_t stream_id(std::string_view name, std::uint64_t index = 0) {
  std::uint64_t hash = 14695981039346656037ull;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return hash ^ (index * 0x9E3779B97F4A7C15ull);
}

/// One sequence of random numbers with access by position. Two streams of different names or indices are
/// independent.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}
  RandomStream(std::uint64_t seed, std::string_view name, std::uint64_t index = 0)
      : RandomStream(seed, stream_id(name, index)) {}

  std::uint64_t bits(std::uint64_t position) const;  ///< 64 independent fair bits
  double uniform(std::uint64_t position) const;      ///< in (0, 1): never 0, never 1; steps of 2^-53
  /// An integer in [0, bound), bound > 0. Its bias is below bound / 2^64.
  std::uint64_t below(std::uint64_t bound, std::uint64_t position) const;
  double normal(std::uint64_t position) const;  ///< N(0, 1); the same value as fill_normal gives

  /// out[2 i] and out[2 i + 1] are the low and the high half of bits(first + i), at a fraction of the cost of
  /// single calls.
  void fill_halves(std::span<std::uint32_t> out, std::uint64_t first = 0) const;
  /// out[i] = scale · N(0, 1) at position first + i, by Box–Muller in float32.
  void fill_normal(std::span<float> out, std::uint64_t first = 0, float scale = 1) const;
  /// out[i] = ±scale with equal probability, at position first + i.
  void fill_rademacher(std::span<float> out, std::uint64_t first = 0, float scale = 1) const;

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
};

}  // namespace parsimony
