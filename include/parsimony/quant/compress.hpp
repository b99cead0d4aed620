// A model of a safetensors file into a compact one: which of its tensors become codes, how, and in how many
// bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/integer_quantizer.hpp"

namespace parsimony::quant {

enum class CompressionScheme { automatic, int8, int4, int3, int2, pq };

constexpr auto names_of(CompressionScheme) {
  using enum CompressionScheme;
  return enum_names<CompressionScheme>(
      {{automatic, "auto"}, {int8, "int8"}, {int4, "int4"}, {int3, "int3"}, {int2, "int2"}, {pq, "pq"}});
}

struct CompressOptions {
  CompressionScheme scheme = CompressionScheme::automatic;  ///< automatic: by the budget, which it needs
  std::int64_t budget = 0;                                  ///< bytes of the file at most; 0: none
  std::int64_t block_size =
      0;  ///< d of products; 0: a kernel of a convolution, 4 of kernels of one value, else 8
  std::int64_t centroids = 256;
  BlockLayout layout = BlockLayout::row;
  CodebookType codebook = CodebookType::float16;
  RangeRule range = RangeRule::mse;  ///< of integers
  int max_iterations = 20;           ///< of k-means
  bool half = false;                 ///< float32 of scales and of what is not in codes lies as float16
  bool deflate_header = false;       ///< CompactRecipe::deflated
  std::uint64_t seed = 0;
};

template <OptionsOf<CompressOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"scheme", "integers of that many bits, one scale per output, or product quantization"},
        options.scheme);
  visit(
      Field{"budget", "bytes of the file at most; scheme, block and centroids are chosen per layer", 0, 1e15},
      options.budget);
  visit(Field{"block_size", "weights of a block of pq", 0, 4096}, options.block_size);
  visit(Field{"centroids", "centroids of a codebook at most; a fourth of the blocks where that is less", 1,
              1 << 16},
        options.centroids);
  visit(Field{"layout", "where the weights of a block lie"}, options.layout);
  visit(Field{"codebook", "type of the centroids"}, options.codebook);
  visit(Field{"range", "how the range of integers is chosen"}, options.range);
  visit(Field{"max_iterations", "iterations of k-means at most", 0, 1e6}, options.max_iterations);
  visit(Field{"half", "scales, biases and norms of float32 as float16"}, options.half);
  visit(Field{"deflate_header", "for small models: the names and shapes deflated"}, options.deflate_header);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// Which tensors become codes: those of 2 to 5 dimensions whose name ends in "weight" and matches `layers`,
/// if that is given, but not `exclude` (ECMAScript, found anywhere in the first 1024 bytes of the name). A
/// name that `layers` matches need not end in "weight".
struct LayerFilter {
  std::string layers;
  std::string exclude;
};

struct LeftAlone {
  std::string name;
  std::string reason;
  bool expected = true;  ///< nobody would have it in codes: one dimension, no floats, not in the LayerFilter
};

struct CompressionPlan {
  CompactRecipe recipe;
  std::vector<LeftAlone> left_alone;  ///< by name
};

/// Everything of the file but the codes, so that planned_size(plan.recipe) is its size. A weight that the
/// same values have been met of (tied, not constant) becomes an alias, and so does, of another, what is left
/// alone. Products of which the codebook would
/// take more bytes than int8 become int8. With a budget each layer gets the scheme by which the sum of the
/// squared errors is least, among the points of the lower convex hulls of what was measured (of layers above
/// four million weights on a part of their outputs); a layer's error counts as calibration says.
///
/// calibration, when given, has for a weight m.weight a tensor m.input_second_moment, E[x²] per input channel
/// or per value of an output, or m.input, of which it is taken: samples first, channels last for 2-D weights,
/// second otherwise. Of a convolution in groups the channels are those of all groups; as many moments as an
/// output has values are one for each.
///
/// Throws invalid_argument (options, regular expressions; before anything is measured, a budget below the
/// least that any choice comes to, which is named), format (a calibration that does not fit; a tensor of the
/// name that codes of another would have; a model that is a compact file already), cancelled.
CompressionPlan plan_compression(const SafetensorsFile& model, const CompressOptions& options,
                                 const LayerFilter& filter = {}, const SafetensorsFile* calibration = nullptr,
                                 const Context& context = Context{});

struct Compression {
  CompactModel model;
  std::vector<double> relative_mse;  ///< of each weight, as decode.hpp has it
  Report report;                     ///< figure "squared_error": the sum that a budget is spent on
};

/// The same bytes for any number of threads.
Compression compress(const SafetensorsFile& model, const CompressionPlan& plan,
                     const CompressOptions& options, const SafetensorsFile* calibration = nullptr,
                     const Context& context = Context{});

}  // namespace parsimony::quant
