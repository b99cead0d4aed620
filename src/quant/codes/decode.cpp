#include "parsimony/quant/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/blocks.hpp"
#include "quant/codes/check_weight.hpp"
#include "quant/codes/weight_error.hpp"

namespace parsimony::quant {
namespace {

constexpr std::int64_t kDecodeBlock = 1 << 16;

void decode_integers(const QuantizedTensor& tensor, std::span<const std::uint16_t> codes,
                     std::span<float> out, const Context& context) {
  const std::int64_t outputs = coded_shape(tensor.shape, tensor.axes)[0], n = std::ssize(codes) / outputs;
  const std::int64_t group = tensor.group == 0 ? n : tensor.group, groups = groups_of(n, tensor.group);
  const auto decode_group = [&](std::int64_t begin, std::int64_t end, std::int64_t at) {
    const float scale = tensor.scale[at];
    if (tensor.levels.empty()) {
      const std::int64_t zero = tensor.zero_point[at];
      for (std::int64_t i = begin; i < end; ++i) out[i] = static_cast<float>(codes[i] - zero) * scale;
    } else {
      for (std::int64_t i = begin; i < end; ++i) out[i] = tensor.levels[codes[i]] * scale;
    }
  };
  context.for_blocks(outputs, std::max<std::int64_t>(1, kDecodeBlock / n),
                     [&](std::int64_t first, std::int64_t last) {
                       for (std::int64_t o = first; o < last; ++o) {
                         for (std::int64_t g = 0; g < groups; ++g) {
                           const std::int64_t at = tensor.scale.size() == 1 ? 0 : o * groups + g;
                           decode_group(o * n + g * group, o * n + std::min(n, (g + 1) * group), at);
                         }
                       }
                     });
}

void decode_products(const QuantizedTensor& tensor, std::span<const std::uint16_t> codes,
                     std::span<float> out, const Context& context) {
  const Matrix<float>& centroids = tensor.codebook->centroids;
  const BlockGrid grid = block_grid(coded_shape(tensor.shape, tensor.axes), centroids.cols(), tensor.layout);
  const std::vector<std::int64_t> offsets = block_offsets(grid, tensor.channel_permutation);
  const std::int64_t n = grid.values_per_output(), each = grid.blocks_per_output(), d = grid.block_size;
  context.for_blocks(grid.outputs, std::max<std::int64_t>(1, kDecodeBlock / n),
                     [&](std::int64_t first, std::int64_t last) {
                       for (std::int64_t o = first; o < last; ++o) {
                         const float factor = tensor.scale.empty() ? 1.0f : tensor.scale[o];
                         for (std::int64_t b = 0; b < each; ++b) {
                           const std::uint16_t code = codes[o * each + b];
                           if (code >= centroids.rows()) {
                             refuse(fmt::format("product code {} of block {}: the codebook has {}", code,
                                                o * each + b, count_of(centroids.rows(), "centroid")));
                           }
                           const float* centroid = centroids.row(code).data();
                           for (std::int64_t j = 0; j < d; ++j) {
                             if (const std::int64_t offset = offsets[b * d + j]; offset >= 0) {
                               out[o * n + offset] = centroid[j] * factor;
                             }
                           }
                         }
                       }
                     });
}

}  // namespace

std::int64_t code_count(const QuantizedTensor& tensor) {
  const std::int64_t size = checked_size(tensor.shape);
  const std::vector<std::int64_t> shape = coded_shape(tensor.shape, tensor.axes);
  const std::int64_t outputs = shape[0], scales = std::ssize(tensor.scale);
  if (tensor.scheme == Scheme::integer) {
    if (tensor.bits < 2 || tensor.bits > 8) {
      refuse(fmt::format("integers: have {}; must have 2 to 8", count_of(tensor.bits, "bit")));
    }
    const std::int64_t n = size / outputs;
    if (tensor.group < 0 || tensor.group > n) {
      refuse(fmt::format("integers: groups of {}; must have 1 to {}", count_of(tensor.group, "value"), n));
    }
    if (!tensor.levels.empty() && std::ssize(tensor.levels) != std::int64_t{1} << tensor.bits) {
      refuse(fmt::format("integers: codes of {} have {}; must have {}", count_of(tensor.bits, "bit"),
                         count_of(tensor.levels.size(), "level"), 1 << tensor.bits));
    }
    const std::int64_t most = outputs * groups_of(n, tensor.group);
    if ((scales != most && (scales != 1 || tensor.group != 0)) ||
        tensor.zero_point.size() != (tensor.levels.empty() ? tensor.scale.size() : 0)) {
      refuse(fmt::format("integers: {} {} {} and {}; must be {}{} of {}", count_of(outputs, "output"),
                         noun_of(outputs, "has", "have"), count_of(scales, "scale"),
                         count_of(tensor.zero_point.size(), "zero point"), tensor.group == 0 ? "1 or " : "",
                         most, tensor.levels.empty() ? "both" : "the scales alone"));
    }
    if (!tensor.channel_permutation.empty()) {
      refuse("integers: have a channel permutation; only products may");
    }
    if (tensor.codebook) refuse("integers: have a codebook; only products may");
    return size;
  }
  if (!tensor.codebook || tensor.codebook->centroids.size() == 0)
    refuse("product: has no codebook; must have one");
  if (tensor.bits < 1 || tensor.bits > 16) {
    refuse(fmt::format("product: codes have {}; must have 1 to 16", count_of(tensor.bits, "bit")));
  }
  if (scales != 0 && scales != outputs) {
    refuse(fmt::format("product: {} {} {}; must be none or {}", count_of(outputs, "output"),
                       noun_of(outputs, "has", "have"), count_of(scales, "factor"), outputs));
  }
  if (!tensor.zero_point.empty()) {
    refuse(fmt::format("product: has {}; must have none", count_of(tensor.zero_point.size(), "zero point")));
  }
  if (tensor.group != 0 || !tensor.levels.empty()) {
    refuse("product: has groups or levels; only integers may");
  }
  check_permutation(tensor.channel_permutation, shape[1]);
  return block_grid(shape, tensor.codebook->centroids.cols(), tensor.layout).count();
}

void check_codes(const QuantizedTensor& tensor) {
  const std::int64_t count = code_count(tensor);
  const std::int64_t bytes = (count * tensor.bits + 7) / 8;
  if (std::ssize(tensor.packed) != bytes) {
    refuse(fmt::format("{} of {} {} {}, there are {}", count_of(count, "code"), count_of(tensor.bits, "bit"),
                       noun_of(count, "needs", "need"), count_of(bytes, "byte"), tensor.packed.size()));
  }
  const auto used = static_cast<int>(count * tensor.bits % 8);
  if (used != 0 && tensor.packed[tensor.packed.size() - 1] >> used != 0)
    refuse("codes: a bit after the last code is 1; must be 0");
  if (tensor.scheme == Scheme::integer) return;
  const std::int64_t centroids = tensor.codebook->centroids.rows();
  if (centroids == std::int64_t{1} << tensor.bits) return;
  const std::vector<std::uint16_t> codes = unpack_codes(tensor.packed, tensor.bits, count);
  const auto beyond =
      std::find_if(codes.begin(), codes.end(), [&](std::uint16_t code) { return code >= centroids; });
  if (beyond != codes.end()) {
    refuse(fmt::format("code {} is {}; there are {}", beyond - codes.begin(), *beyond,
                       count_of(centroids, "centroid")));
  }
}

std::vector<float> decode_in_coded_order(const QuantizedTensor& tensor, const Context& context) {
  const std::vector<std::uint16_t> codes = unpack_codes(tensor.packed, tensor.bits, code_count(tensor));
  std::vector<float> out(checked_size(tensor.shape));
  (tensor.scheme == Scheme::integer ? decode_integers : decode_products)(tensor, codes, out, context);
  return out;
}

std::vector<float> decode(const QuantizedTensor& tensor, const Context& context) {
  std::vector<float> out = decode_in_coded_order(tensor, context);
  return tensor.axes.standard() ? out : from_coded_order(out, tensor.shape, tensor.axes);
}

double relative_mse(const WeightView& weight, std::span<const float> decoded) {
  check_weight(weight, std::numeric_limits<float>::max());
  if (decoded.size() != weight.values.size()) {
    refuse(fmt::format("relative_mse: {} for a weight of {}; must be as many",
                       count_of(decoded.size(), "decoded value"), weight.values.size()));
  }
  return weight_error(weight, decoded).relative();
}

}  // namespace parsimony::quant
