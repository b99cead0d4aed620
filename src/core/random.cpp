#include "parsimony/core/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "kernels/philox.hpp"

namespace parsimony {
namespace {

using kernels::philox_block;
using Block = std::array<std::uint32_t, 4>;
__extension__ using Wide = unsigned __int128;  // GCC and Clang have it on every 64-bit target

// Makes two normals from two words. u lies in (0, 1], so that the logarithm is finite.
void box_muller(std::uint32_t a, std::uint32_t b, float& first, float& second) {
  const float u = (static_cast<float>(a >> 8) + 1) * 0x1p-24f;
  const float angle = static_cast<float>(b >> 8) * (2 * std::numbers::pi_v<float> * 0x1p-24f);
  const float radius = std::sqrt(-2 * std::log(u));
  first = radius * std::cos(angle);
  second = radius * std::sin(angle);
}

std::array<float, 4> normals(std::uint64_t seed, std::uint64_t stream, std::uint64_t block) {
  const Block words = philox_block(seed, stream, block);
  std::array<float, 4> out;
  box_muller(words[0], words[1], out[0], out[1]);
  box_muller(words[2], words[3], out[2], out[3]);
  return out;
}

}  // namespace

std::uint64_t RandomStream::bits(std::uint64_t position) const {
  const Block words = philox_block(seed_, stream_, position / 2);
  const unsigned at = 2 * static_cast<unsigned>(position % 2);
  return (static_cast<std::uint64_t>(words[at + 1]) << 32) | words[at];
}

void RandomStream::fill_halves(std::span<std::uint32_t> out, std::uint64_t first) const {
  constexpr std::size_t kBlocks = 64;
  std::array<std::uint32_t, 4 * kBlocks> words;
  std::size_t skipped = 2 * (first % 2);
  for (std::uint64_t block = first / 2; !out.empty(); block += kBlocks, skipped = 0) {
    const std::size_t count = std::min(out.size(), words.size() - skipped);
    kernels::philox_blocks(seed_, stream_, block, static_cast<std::int64_t>((skipped + count + 3) / 4),
                           words.data());
    std::copy_n(words.begin() + skipped, count, out.begin());
    out = out.subspan(count);
  }
}

double RandomStream::uniform(std::uint64_t position) const {
  return (static_cast<double>(bits(position) >> 11) + 0.5) * 0x1p-53;
}

std::uint64_t RandomStream::below(std::uint64_t bound, std::uint64_t position) const {
  return static_cast<std::uint64_t>((static_cast<Wide>(bits(position)) * bound) >> 64);
}

double RandomStream::normal(std::uint64_t position) const {
  return normals(seed_, stream_, position / 4)[position % 4];
}

void RandomStream::fill_normal(std::span<float> out, std::uint64_t first, float scale) const {
  std::array<float, 4> block{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint64_t position = first + i;
    if (i == 0 || position % 4 == 0) block = normals(seed_, stream_, position / 4);
    out[i] = scale * block[position % 4];
  }
}

void RandomStream::fill_rademacher(std::span<float> out, std::uint64_t first, float scale) const {
  Block words{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint64_t position = first + i;
    if (i == 0 || position % 128 == 0) words = philox_block(seed_, stream_, position / 128);
    const std::uint32_t word = words[(position % 128) / 32];
    out[i] = (word >> (position % 32)) & 1u ? scale : -scale;
  }
}

}  // namespace parsimony
