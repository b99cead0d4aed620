// Product quantization: blocks of d weights become codes of the nearest of K centroids.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/quant/quantized_tensor.hpp"
#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

struct ProductOptions {
  /// d. A weight takes log2(centroids) / d bits; larger blocks have a larger error.
  std::int64_t block_size = 8;
  std::int64_t centroids = 256;  ///< largest K; 256 fill a byte, which the packed layers read fastest
  /// K is lowered until on average so many blocks share a centroid. With fewer the codebook would take the
  /// bytes that the codes save.
  std::int64_t blocks_per_centroid = 4;
  BlockLayout layout = BlockLayout::row;
  CodebookType codebook = CodebookType::float16;
  /// For int8: a scale for each centroid instead of one for all. Set it where a few centroids are many times
  /// larger than the others, whose values would else have few levels left; costs two bytes a centroid.
  bool centroid_scales = false;
  int max_iterations = 20;  ///< limit of k-means
  /// Divides every output by its root mean square first, and keeps these factors in QuantizedTensor::scale.
  /// Set it where a batch norm follows: the size of a filter then says nothing about its importance.
  bool normalize_filters = false;
  std::uint64_t seed = 0;
};

template <OptionsOf<ProductOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"block_size", "weights of a block", 1, 4096}, options.block_size);
  visit(Field{"centroids", "most centroids of a codebook", 1, 1 << 16}, options.centroids);
  visit(Field{"blocks_per_centroid", "least number of blocks that share a centroid, on average", 1, 1 << 30},
        options.blocks_per_centroid);
  visit(Field{"layout", "position of the weights of a block"}, options.layout);
  visit(Field{"codebook", "type of the centroids in the file"}, options.codebook);
  visit(Field{"centroid_scales", "scale of each centroid of an int8 codebook"}, options.centroid_scales);
  visit(Field{"max_iterations", "limit of k-means", 0, 1 << 20}, options.max_iterations);
  visit(Field{"normalize_filters", "divide every output by its root mean square first"},
        options.normalize_filters);
  visit(kSeedField, options.seed);
}

struct ProductQuantization {
  std::vector<QuantizedTensor> tensors;  ///< one per weight; all share the codebook
  Report report;
};

/// Learns one codebook for all weights by k-means on their blocks [jegou2011product, stock2020bit,
/// fan2021training], rounds it to its type, and gives each block the nearest of the rounded centroids.
///
/// Minimizes Σ a (w − ŵ)² with the importance a of each value, exactly: the coordinates of this k-means have
/// weights of their own, and it starts from the part of a that has rank one. If d does not divide a run, its
/// last block has coordinates of weight 0, so that no padding draws a centroid. Without importance and
/// padding this is core's k-means, several times faster; if there are many blocks, it starts from the
/// centroids of a sample. An emptied centroid moves to the block farthest from its own centroid, as in core;
/// [stock2020bit] split the centroid with the most blocks instead.
///
/// normalize_filters divides by the root mean square of an output. It equals the standard deviation where the
/// mean is small, and is not 0 for a constant filter. The error is that of the divided weights. In the layout
/// input_channels a depthwise convolution (one channel) is cut in the layout row, as its tensor says: blocks
/// of d channels would hold one weight each.
///
/// initial, if it has rows, holds K × d centroids to start k-means from.
///
/// report: objective_history of k-means; figures "centroids", "blocks". Memory: 4 bytes per weight for the
/// blocks, as much for their importance, and the memory of core's k-means. O(weights · K) per iteration. The
/// same bytes for any number of threads.
///
/// Throws invalid_argument (no weights; shapes; options; values that are not finite or above 1e15; importance
/// that is 0 everywhere; centroids beyond float16) and cancelled.
ProductQuantization product_quantize(std::span<const WeightView> weights, const ProductOptions& options = {},
                                     const Context& context = Context{},
                                     MatrixView<const float> initial = {});

/// The same for one weight.
QuantizedTensor product_quantize(const WeightView& weight, const ProductOptions& options = {},
                                 const Context& context = Context{});

/// Gives each block the nearest centroid of a given codebook. Reads layout and normalize_filters of the
/// options.
std::vector<QuantizedTensor> assign_codes(std::span<const WeightView> weights,
                                          const std::shared_ptr<const Codebook>& codebook,
                                          const ProductOptions& options = {},
                                          const Context& context = Context{});

/// K for a number of blocks.
std::int64_t centroids_for(std::int64_t blocks, const ProductOptions& options);

/// Rounds centroids to values that a file of this type holds. Throws invalid_argument for a value beyond
/// float16. centroid_scales: see ProductOptions.
Codebook round_codebook(Matrix<float> centroids, CodebookType type, bool centroid_scales = false);

}  // namespace parsimony::quant
