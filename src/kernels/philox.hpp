// Random words of consecutive counters, many at a time.
#pragma once

#include <Random123/philox.h>

#include <array>
#include <cstdint>

namespace parsimony::kernels {

/// The four words of Philox4x32-10 [salmon2011philox] at the counter (block, stream), the key being the seed.
/// Low words of these numbers come first. By Random123.
inline std::array<std::uint32_t, 4> philox_block(std::uint64_t seed, std::uint64_t stream,
                                                 std::uint64_t block) {
  const auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
  const auto high = [](std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); };
  const r123::Philox4x32::ctr_type counter{{low(block), high(block), low(stream), high(stream)}};
  const r123::Philox4x32::key_type key{{low(seed), high(seed)}};
  const auto out = r123::Philox4x32{}(counter, key);
  return {out[0], out[1], out[2], out[3]};
}

/// The same for `count` blocks from `first` on, one after the other. words: 4 · count.
///
/// Limit: the multiplications, 40 for a block.
void philox_blocks(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::int64_t count,
                   std::uint32_t* words);

}  // namespace parsimony::kernels
