// Implements the conversions of values that safetensors.hpp declares.
#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "parsimony/core/error.hpp"
#include "parsimony/core/half.hpp"
#include "parsimony/core/safetensors.hpp"

namespace parsimony {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are used as they lie in the file");

// Rounds ties to even; a NaN stays a NaN, and values that round above the largest become infinity, as in
// float16.
std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x0040u);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

float from_bfloat16(std::uint16_t value) {
  return std::bit_cast<float>(std::uint32_t{value} << 16);
}

[[noreturn]] void throw_no_floats(const std::string& what, DType dtype) {
  throw Error(ErrorCode::unsupported, fmt::format("{}{}; must be F32, F16 or BF16", what, enum_name(dtype)));
}

}  // namespace

bool has_float32_values(DType dtype) {
  return dtype == DType::float32 || dtype == DType::float16 || dtype == DType::bfloat16;
}

std::vector<float> float32_values(const TensorView& tensor) {
  if (!has_float32_values(tensor.dtype)) {
    throw_no_floats(fmt::format("tensor {}: values of dtype ", quoted_name(tensor.name)), tensor.dtype);
  }
  std::vector<float> values(static_cast<std::size_t>(tensor.values()));
  if (tensor.dtype == DType::float32) {
    // An empty span has no address to copy from.
    if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
    return values;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, tensor.data.data() + 2 * i, 2);
    values[i] = tensor.dtype == DType::float16 ? from_half(bits) : from_bfloat16(bits);
  }
  return values;
}

std::vector<std::uint8_t> tensor_bytes(std::span<const float> values, DType dtype) {
  if (!has_float32_values(dtype)) throw_no_floats("values cannot be written as ", dtype);
  std::vector<std::uint8_t> bytes(values.size() * static_cast<std::size_t>(bits_of(dtype) / 8));
  if (dtype == DType::float32) {
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t bits = dtype == DType::float16 ? to_half(values[i]) : to_bfloat16(values[i]);
    std::memcpy(bytes.data() + 2 * i, &bits, 2);
  }
  return bytes;
}

}  // namespace parsimony
