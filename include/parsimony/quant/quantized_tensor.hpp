// A weight in codes. The quantizers make it, the compact file stores it, and the packed layers multiply with
// it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/quant/weight_axes.hpp"

namespace parsimony::quant {

enum class Scheme {
  integer,  ///< a code per weight: w = (code − zero_point) · scale, or levels[code] · scale
  product,  ///< a code per block of d weights: the block is a row of the codebook
};

constexpr auto names_of(Scheme) {
  using enum Scheme;
  return enum_names<Scheme>({{integer, "integer"}, {product, "product"}});
}

/// The values that codes stand for, before the scale.
enum class LevelKind {
  uniform,  ///< whole numbers, with a zero point
  nf4,      ///< the 16 quantiles of a normal distribution of NormalFloat [dettmers2023qlora]
  learned,  ///< 2^bits values of least error for the weight, found by Lloyd and Max's iteration
};

constexpr auto names_of(LevelKind) {
  using enum LevelKind;
  return enum_names<LevelKind>({{uniform, "uniform"}, {nf4, "nf4"}, {learned, "learned"}});
}

/// Position of the d weights of a block. Outputs (rows) are the first dimension of a weight, and no block
/// reaches over two of them.
enum class BlockLayout {
  row,             ///< d consecutive values of a row in C order: along the kernels of a convolution
  input_channels,  ///< d consecutive input channels of a convolution at one position of the kernel
};

constexpr auto names_of(BlockLayout) {
  using enum BlockLayout;
  return enum_names<BlockLayout>({{row, "row"}, {input_channels, "input-channels"}});
}

enum class CodebookType { float32, float16, int8 };

constexpr auto names_of(CodebookType) {
  using enum CodebookType;
  return enum_names<CodebookType>({{float32, "float32"}, {float16, "float16"}, {int8, "int8"}});
}

/// K × d centroids, rounded to values that a file of this type holds: float16 values, or for int8 whole
/// multiples of the scale of their centroid from −127 to 127. Layers that share a codebook hold the same
/// pointer.
struct Codebook {
  Matrix<float> centroids;
  CodebookType type = CodebookType::float32;
  std::vector<float> scales = {};  ///< for int8: one, or one for each centroid; otherwise none

  float scale_of(std::int64_t centroid) const { return scales[scales.size() == 1 ? 0 : centroid]; }
};

/// The bytes of codes: a vector, or a part of a file that is mapped into memory.
class PackedCodes {
 public:
  PackedCodes() = default;
  PackedCodes(std::vector<std::uint8_t> bytes) : own_(std::move(bytes)) {}
  /// owner keeps the bytes alive, and copies share it.
  PackedCodes(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> owner)
      : mapped_(bytes), owner_(std::move(owner)) {}

  const std::uint8_t* data() const { return owner_ ? mapped_.data() : own_.data(); }
  std::size_t size() const { return owner_ ? mapped_.size() : own_.size(); }
  const std::uint8_t* begin() const { return data(); }
  const std::uint8_t* end() const { return data() + size(); }
  std::uint8_t operator[](std::size_t i) const { return data()[i]; }
  bool mapped() const { return owner_ != nullptr; }
  operator std::vector<std::uint8_t>() const { return {begin(), end()}; }
  /// The bytes as a vector that may be changed: copies those of a file.
  std::vector<std::uint8_t>& own() {
    if (owner_) *this = PackedCodes(std::vector<std::uint8_t>(begin(), end()));
    return own_;
  }

  friend bool operator==(const PackedCodes& a, const PackedCodes& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::vector<std::uint8_t> own_;
  std::span<const std::uint8_t> mapped_;
  std::shared_ptr<const void> owner_;
};

/// Codes see a weight outputs first, in C order of coded_shape(shape, axes). Let n be the number of values of
/// an output and C its input channels. An integer weight has a code per value. Its n values of an output are
/// cut into ⌈n / group⌉ groups with a scale each. A product weight has for each output ⌈n / d⌉
/// blocks in the layout row. In the layout input_channels it has ⌈C / d⌉ blocks for each position of the
/// kernel, all blocks of a position before those of the next. If d does not divide n or C, padding completes
/// the last block, and decoding drops it.
struct QuantizedTensor {
  std::vector<std::int64_t> shape;  ///< shape of the weight, 2-D to 5-D
  Scheme scheme = Scheme::integer;
  int bits = 8;        ///< width of a code: 2 to 8 for integers, 1 to 16 for products
  PackedCodes packed;  ///< the codes, see pack_codes

  /// integer: one, or one per output or group of it; product: none, or a factor per output
  std::vector<float> scale;
  std::vector<std::int32_t> zero_point;  ///< integer: as many as scale, or none with levels; product: none
  std::int64_t group = 0;                ///< integer: values of an output that share a scale; 0: all n
  std::vector<float> levels;             ///< integer: none, or 2^bits values that codes stand for

  BlockLayout layout = BlockLayout::row;          ///< for products
  std::shared_ptr<const Codebook> codebook;       ///< for products
  std::vector<std::int32_t> channel_permutation;  ///< position p holds input channel [p]; empty: order kept

  WeightAxes axes;  ///< which dimensions of shape are the outputs
};

/// Scales of an output of n values: 1, or one for each group.
inline std::int64_t groups_of(std::int64_t n, std::int64_t group) {
  return group == 0 ? 1 : (n + group - 1) / group;
}

/// Puts codes of `bits` bits (1 to 16) end to end: code i starts at bit i · bits, with the least significant
/// bit of code and byte first. Zeros fill the last byte. Returns ⌈n · bits / 8⌉ bytes. Throws
/// invalid_argument for a code that does not fit.
std::vector<std::uint8_t> pack_codes(std::span<const std::uint16_t> codes, int bits);

/// The first `count` codes. Throws invalid_argument if packed holds fewer.
std::vector<std::uint16_t> unpack_codes(std::span<const std::uint8_t> packed, int bits, std::int64_t count);

/// Code i alone; packed must hold it.
std::uint16_t code_at(std::span<const std::uint8_t> packed, int bits, std::int64_t i);

}  // namespace parsimony::quant
