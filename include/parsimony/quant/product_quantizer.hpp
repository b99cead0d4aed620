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
  std::int64_t block_size = 8;   ///< d
  std::int64_t centroids = 256;  ///< K at most
  std::int64_t blocks_per_centroid =
      4;  ///< K is lowered until so many blocks share one, else a codebook stores what it should save
  BlockLayout layout = BlockLayout::row;
  CodebookType codebook = CodebookType::float16;
  int max_iterations = 20;         ///< of k-means
  bool normalize_filters = false;  ///< factors per output are kept in QuantizedTensor::scale
  std::uint64_t seed = 0;
};

template <OptionsOf<ProductOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"block_size", "weights of a block", 1, 4096}, options.block_size);
  visit(Field{"centroids", "most centroids of a codebook", 1, 1 << 16}, options.centroids);
  visit(Field{"blocks_per_centroid", "blocks that share a centroid at least, on average", 1, 1 << 30},
        options.blocks_per_centroid);
  visit(Field{"layout", "where the weights of a block lie"}, options.layout);
  visit(Field{"codebook", "type of the centroids in the file"}, options.codebook);
  visit(Field{"max_iterations", "iterations of k-means at most", 0, 1 << 20}, options.max_iterations);
  visit(Field{"normalize_filters", "divide every output by its root mean square first"},
        options.normalize_filters);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct ProductQuantization {
  std::vector<QuantizedTensor> tensors;  ///< one per weight, all with the same codebook
  Report report;
};

/// One codebook for all the weights, by k-means on their blocks [jegou2011product, stock2020bit,
/// fan2021training]; then it is rounded to its type, and each block takes the nearest of the rounded
/// centroids.
///
/// Minimised is Σ a (w − ŵ)², a the importance of the weights, per value: exactly, by k-means whose
/// coordinates have weights of their own (with a start from the part of a that is of rank one). A block that
/// d does not divide out has coordinates without a weight; they count nothing, so that no filling of theirs
/// can draw a centroid. Where there is neither importance nor padding this is core's k-means, several times
/// as fast, from the centroids of a sample where there are many blocks. An emptied centroid moves to the
/// block farthest from its own, as core has it; [stock2020bit] split the most populated one.
///
/// normalize_filters: w divided by the root mean square of its output, which is its standard deviation where
/// its mean is small, and unlike that is not 0 of a constant filter. The error is that of the divided
/// weights: where a batch norm follows, a filter's size says nothing about what it is worth. In the layout
/// input_channels a depthwise convolution (one channel) is cut in the layout row all the same, as its tensor
/// says: blocks of d channels would hold one weight each.
///
/// initial, when it has rows: centroids to start k-means from, as many as K comes to.
///
/// report: objective_history of k-means; figures "centroids", "blocks". Memory: 4 bytes per weight for the
/// blocks, as much again for their importance, and what core's k-means says. O(weights K) per iteration. The
/// same bytes for any number of threads.
///
/// Throws invalid_argument (no weights, shapes, options, values that are not finite or above 1e15, importance
/// all 0, centroids beyond float16) and cancelled.
ProductQuantization product_quantize(std::span<const WeightView> weights, const ProductOptions& options = {},
                                     const Context& context = Context{},
                                     MatrixView<const float> initial = {});

/// Of one weight.
QuantizedTensor product_quantize(const WeightView& weight, const ProductOptions& options = {},
                                 const Context& context = Context{});

/// The codes alone, of the nearest centroids of a codebook that there is. Of the options: layout and
/// normalize_filters.
std::vector<QuantizedTensor> assign_codes(std::span<const WeightView> weights,
                                          const std::shared_ptr<const Codebook>& codebook,
                                          const ProductOptions& options = {},
                                          const Context& context = Context{});

/// K for so many blocks.
std::int64_t centroids_for(std::int64_t blocks, const ProductOptions& options);

/// Rounds centroids to the values that a file of this type holds. Throws invalid_argument for a value that
/// float16 does not reach.
Codebook round_codebook(Matrix<float> centroids, CodebookType type);

}  // namespace parsimony::quant
