// A weight in codes. The quantizers make it, the compact file stores it, and the packed layers multiply with
// it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::quant {

enum class Scheme {
  integer,  ///< a code per weight: w = (code − zero_point) · scale
  product,  ///< a code per block of d weights: the block is a row of the codebook
};

constexpr auto names_of(Scheme) {
  using enum Scheme;
  return enum_names<Scheme>({{integer, "integer"}, {product, "product"}});
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

/// K × d centroids, rounded to values that a file of this type holds: float16 values, or whole multiples of
/// scale from −127 to 127 for int8. Layers that share a codebook hold the same pointer.
struct Codebook {
  Matrix<float> centroids;
  CodebookType type = CodebookType::float32;
  float scale = 1;  ///< for int8; 1 otherwise
};

/// Row-major, outputs first. Let n be the number of values of an output and C its input channels. An integer
/// weight has shape[0] · n codes, one per value in C order. A product weight has for each output ⌈n / d⌉
/// blocks in the layout row. In the layout input_channels it has ⌈C / d⌉ blocks for each position of the
/// kernel, all blocks of a position before those of the next. If d does not divide n or C, padding completes
/// the last block, and decoding drops it.
struct QuantizedTensor {
  std::vector<std::int64_t> shape;  ///< shape of the weight, 2-D to 5-D
  Scheme scheme = Scheme::integer;
  int bits = 8;                      ///< width of a code: 2 to 8 for integers, 1 to 16 for products
  std::vector<std::uint8_t> packed;  ///< the codes, see pack_codes

  std::vector<float>
      scale;  ///< integer: 1 or shape[0] values; product: none, or shape[0] factors of the rows
  std::vector<std::int32_t> zero_point;  ///< integer: as many as scale; product: none

  BlockLayout layout = BlockLayout::row;          ///< for products
  std::shared_ptr<const Codebook> codebook;       ///< for products
  std::vector<std::int32_t> channel_permutation;  ///< position p holds input channel [p]; empty: order kept
};

/// Puts codes of `bits` bits (1 to 16) end to end: code i starts at bit i · bits, with the least significant
/// bit of code and byte first. Zeros fill the last byte. Returns ⌈n · bits / 8⌉ bytes. Throws
/// invalid_argument for a code that does not fit.
std::vector<std::uint8_t> pack_codes(std::span<const std::uint16_t> codes, int bits);

/// The first `count` codes. Throws invalid_argument if packed holds fewer.
std::vector<std::uint16_t> unpack_codes(std::span<const std::uint8_t> packed, int bits, std::int64_t count);

/// Code i alone; packed must hold it.
std::uint16_t code_at(std::span<const std::uint8_t> packed, int bits, std::int64_t i);

}  // namespace parsimony::quant
