// Implements the packing of codes of parsimony/quant/quantized_tensor.hpp.
#include <fmt/format.h>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::quant {
namespace {

void check_width(int bits) {
  if (bits < 1 || bits > 16) {
    refuse(fmt::format("codes of {}: must be of 1 to 16", count_of(bits, "bit")));
  }
}

}  // namespace

std::vector<std::uint8_t> pack_codes(std::span<const std::uint16_t> codes, int bits) {
  check_width(bits);
  std::vector<std::uint8_t> packed;
  packed.reserve((codes.size() * static_cast<std::size_t>(bits) + 7) / 8);
  std::uint32_t pending = 0;  // holds fewer than 8 bits between two codes
  int held = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] >> bits != 0) {
      refuse(fmt::format("code {} is {}: does not fit into {}", i, codes[i], count_of(bits, "bit")));
    }
    pending |= std::uint32_t{codes[i]} << held;
    for (held += bits; held >= 8; held -= 8) {
      packed.push_back(static_cast<std::uint8_t>(pending));
      pending >>= 8;
    }
  }
  if (held > 0) packed.push_back(static_cast<std::uint8_t>(pending));
  return packed;
}

std::vector<std::uint16_t> unpack_codes(std::span<const std::uint8_t> packed, int bits, std::int64_t count) {
  check_width(bits);
  // The comparison by bytes / bits does not overflow for any count.
  const auto whole = static_cast<std::int64_t>(packed.size()) * 8 / bits;
  if (count < 0 || count > whole) {
    refuse(fmt::format("{} of {}: {} {} {} of them", count_of(count, "code"), count_of(bits, "bit"),
                       count_of(packed.size(), "byte"), noun_of(packed.size(), "holds", "hold"), whole));
  }
  std::vector<std::uint16_t> codes(static_cast<std::size_t>(count));
  const std::uint32_t mask = (std::uint32_t{1} << bits) - 1;
  std::uint32_t pending = 0;
  int held = 0;
  std::size_t next = 0;
  for (std::uint16_t& code : codes) {
    for (; held < bits; held += 8) pending |= std::uint32_t{packed[next++]} << held;
    code = static_cast<std::uint16_t>(pending & mask);
    pending >>= bits;
    held -= bits;
  }
  return codes;
}

std::uint16_t code_at(std::span<const std::uint8_t> packed, int bits, std::int64_t i) {
  std::uint32_t held = 0;  // a code of up to 16 bits lies in at most 3 bytes
  const std::int64_t first = i * bits, byte = first / 8;
  for (std::int64_t b = 0; b < 3 && byte + b < std::ssize(packed); ++b) {
    held |= std::uint32_t{packed[byte + b]} << (8 * b);
  }
  return static_cast<std::uint16_t>((held >> (first % 8)) & ((std::uint32_t{1} << bits) - 1));
}

}  // namespace parsimony::quant
