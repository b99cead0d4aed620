#include "parsimony/quant/training_codes.hpp"

#include "parsimony/core/error.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/quant/integer_quantizer.hpp"

namespace parsimony::quant {

std::vector<std::int64_t> codebook_index(const QuantizedTensor& tensor) {
  if (!tensor.codebook || !tensor.axes.standard()) refuse("tensor: must have product codes, outputs first");
  const std::int64_t d = tensor.codebook->centroids.cols();
  const BlockGrid grid = block_grid(tensor.shape, d, tensor.layout);
  const std::vector<std::int64_t> offsets = block_offsets(grid, tensor.channel_permutation);
  const std::vector<std::uint16_t> codes = unpack_codes(tensor.packed, tensor.bits, code_count(tensor));
  const std::int64_t values = grid.values_per_output(), each = grid.blocks_per_output();
  std::vector<std::int64_t> index(static_cast<std::size_t>(grid.outputs * values));
  for (std::int64_t o = 0; o < grid.outputs; ++o) {
    for (std::int64_t j = 0; j < each * d; ++j) {
      if (offsets[j] >= 0) index[o * values + offsets[j]] = codes[o * each + j / d] * d + j % d;
    }
  }
  return index;
}

QuantizedTensor with_half_scales(QuantizedTensor tensor) {
  for (std::size_t i = 0; i < tensor.scale.size(); ++i) {
    if (!half_scale_fits(tensor.scale[i])) continue;
    const AffineCode half = with_half_scale({tensor.scale[i], tensor.zero_point.at(i)});
    tensor.scale[i] = half.scale;
    tensor.zero_point[i] = half.zero_point;
  }
  return tensor;
}

QuantizedTensor with_values(QuantizedTensor tensor, std::span<const float> values) {
  const std::size_t scales = tensor.scale.size();
  if (scales == 0 || tensor.zero_point.size() != scales || tensor.group != 0 ||
      std::ssize(values) != code_count(tensor)) {
    refuse("values: must be as many as the codes of a tensor of integers without groups and levels");
  }
  const std::size_t each = values.size() / scales;
  std::vector<std::uint16_t> codes;
  codes.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const AffineCode code{tensor.scale[i / each], tensor.zero_point[i / each]};
    codes.push_back(integer_code(values[i], code, tensor.bits));
  }
  tensor.packed = pack_codes(codes, tensor.bits);
  return tensor;
}

}  // namespace parsimony::quant
