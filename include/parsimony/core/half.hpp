// IEEE 754 half precision: 16 bits in files, float32 in computations.
#pragma once

#include <bit>
#include <cstdint>

namespace parsimony {

/// Rounds to the nearest half, ties to even. Values from 65520 on become infinity; a NaN stays a (quiet) NaN
/// with the upper bits of its payload. The result equals that of the processors' conversion instructions.
constexpr std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) {
    return static_cast<std::uint16_t>(sign | 0x7E00u | ((magnitude >> 13) & 0x03FFu));
  }
  if (magnitude >= 0x47800000u) return static_cast<std::uint16_t>(sign | 0x7C00u);  // 65536
  // The kept bits of the significand, and the number of dropped ones: 13, or more for a subnormal half.
  std::uint32_t kept = magnitude - (112u << 23);
  std::uint32_t dropped = 13;
  if (magnitude < 0x38800000u) {                     // 2^-14, the least normal half
    if (magnitude < 0x33000000u) return sign;        // below 2^-25, half of the least subnormal
    kept = (magnitude & 0x007FFFFFu) | 0x00800000u;  // the leading bit that normal numbers imply
    dropped = 126 - (magnitude >> 23);
  }
  // A carry out of the significand gives the next exponent; out of the largest half, infinity.
  const std::uint32_t odd = (kept >> dropped) & 1u;
  return static_cast<std::uint16_t>(sign | ((kept + (1u << (dropped - 1)) - 1 + odd) >> dropped));
}

/// Exact, as float32 holds every half.
constexpr float from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1Fu;
  const std::uint32_t significand = half & 0x03FFu;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000u | (significand << 13));
  if (exponent == 0) {  // multiples of 2^-24
    const float magnitude = static_cast<float>(significand) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (significand << 13));
}

}  // namespace parsimony
