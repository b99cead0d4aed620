#include "quant/packed/packed_size.hpp"

#include <algorithm>

#include "kernels/interleave_bytes.hpp"
#include "quant/packed/integer_weight.hpp"
#include "quant/packed/packed_weight.hpp"
#include "quant/packed/table_set.hpp"

namespace parsimony::quant {
namespace {

std::int64_t centroid_bytes_of(const QuantizedTensor& weight) {
  return weight.codebook ? 4 * weight.codebook->centroids.size() : 0;
}

// Centroids or levels as bytes, and the blocks that are multiplied in float32.
std::int64_t most_integer_bytes(const QuantizedTensor& weight, const BlockGrid& grid) {
  if (!weight.codebook) return std::max<std::int64_t>(kernels::kTableBytes, std::ssize(weight.levels));
  const Matrix<float>& centroids = weight.codebook->centroids;
  const std::int64_t groups = groups_of(grid.outputs, kernels::kIntegerOutputs),
                     blocks = grid.outputs * grid.blocks_per_output() / kBlocksPerOutlier;
  return centroids.cols() * (centroids.rows() + kernels::kMostEntries) +
         blocks * static_cast<std::int64_t>(sizeof(OutlierBlock)) + 8 * (groups + 1);
}

}  // namespace

PackedBytes most_packed_bytes(const QuantizedTensor& weight, const PackedLinearOptions& options) {
  const BlockGrid grid = code_grid(weight);
  const std::int64_t outputs = grid.outputs, columns = grid.blocks_per_output(),
                     values = columns * grid.block_size;
  const Codebook* codebook = weight.codebook.get();
  const int row_bits = row_bits_of(weight.bits, columns);
  PackedBytes out;
  if (codebook == nullptr) {
    out.codes = outputs * columns * row_bits / 8;
  } else {
    out.codes =
        packed_code_count(outputs, columns) * (codebook->centroids.rows() > kernels::kMostEntries ? 2 : 1);
  }
  // A scale for the whole weight becomes one for each output.
  out.rest = 4 * (std::max(std::ssize(weight.scale), outputs) + std::ssize(weight.zero_point) +
                  std::ssize(weight.levels) + outputs) +
             centroid_bytes_of(weight);
  if (codebook != nullptr) {
    out.rest += 8 * values + 4 * grid.block_size * table_entries(codebook->centroids.rows());
  }
  if (options.tiles == TileProduct::floats || !fits_segments(codebook, weight.group)) return out;
  out.rest += most_integer_bytes(weight, grid);
  if (!keeps_tiles(options.keep_tiles, codebook, row_bits)) return out;
  const std::int64_t segments =
      groups_of(outputs, kernels::kIntegerOutputs) * groups_of(values, kernels::kIntegerSegment);
  out.tiles =
      segments * (kernels::kIntegerSegmentBytes + 4 * kernels::kIntegerOutputs * (weight.group == 0 ? 1 : 2));
  if (codebook == nullptr) out.codes = 0;
  return out;
}

std::int64_t most_embedding_bytes(const QuantizedTensor& weight) {
  const BlockGrid grid = code_grid(weight);
  const std::int64_t places = weight.codebook ? grid.blocks_per_output() * grid.block_size : 0;
  return std::ssize(weight.packed) + 8 * places + centroid_bytes_of(weight) +
         4 * (std::ssize(weight.scale) + std::ssize(weight.zero_point) + std::ssize(weight.levels));
}

}  // namespace parsimony::quant
