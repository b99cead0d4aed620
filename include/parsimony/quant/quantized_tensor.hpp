// A weight in codes: what the quantizers make, the compact file stores and the packed layers multiply with.
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

/// Where the d weights of a block lie. The first dimension of a weight is its outputs (rows), and no block
/// reaches over two of them.
enum class BlockLayout {
  row,             ///< d consecutive values of a row in C order; of a convolution, along its kernels
  input_channels,  ///< of a convolution: d consecutive input channels at one position of the kernel
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

/// K × d centroids with the values that the file holds: of float16, halves exactly; of int8, whole multiples
/// of scale from −127 to 127. Layers that share one hold the same pointer.
struct Codebook {
  Matrix<float> centroids;
  CodebookType type = CodebookType::float32;
  float scale = 1;  ///< of int8; 1 otherwise
};

/// Row-major, outputs first. With n = values per output, an integer weight has shape[0] · n codes, one per
/// value in C order. A product weight has, per output, ⌈n / d⌉ blocks in the layout row, and in the layout
/// input_channels ⌈C / d⌉ blocks for each position of the kernel, the position slower than the block (C:
/// input channels). Where d does not divide, the last block is completed by values that decoding drops.
struct QuantizedTensor {
  std::vector<std::int64_t> shape;  ///< of the weight: 2-D to 5-D
  Scheme scheme = Scheme::integer;
  int bits = 8;                      ///< width of a code: 2 to 8 of integers, 1 to 16 of a product
  std::vector<std::uint8_t> packed;  ///< the codes, see pack_codes

  std::vector<float>
      scale;  ///< integer: 1 or shape[0] values; product: none, or shape[0] factors of the rows
  std::vector<std::int32_t> zero_point;  ///< integer: as many as scale; product: none

  BlockLayout layout = BlockLayout::row;          ///< of a product
  std::shared_ptr<const Codebook> codebook;       ///< of a product
  std::vector<std::int32_t> channel_permutation;  ///< position p holds input channel [p]; none: as they are
};

/// Codes of `bits` bits (1 to 16), end to end: code i at bits i · bits on, the least significant bit of code
/// and byte first; the last byte is filled with zeros. ⌈n · bits / 8⌉ bytes. Throws invalid_argument for a
/// code that does not fit.
std::vector<std::uint8_t> pack_codes(std::span<const std::uint16_t> codes, int bits);

/// The first `count` codes. Throws invalid_argument if packed has fewer.
std::vector<std::uint16_t> unpack_codes(std::span<const std::uint8_t> packed, int bits, std::int64_t count);

/// Code i alone, of those that packed holds.
std::uint16_t code_at(std::span<const std::uint8_t> packed, int bits, std::int64_t i);

}  // namespace parsimony::quant
