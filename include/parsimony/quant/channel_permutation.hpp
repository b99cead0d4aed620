// An order of the input channels in which blocks are easier to quantize.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

struct PermutationOptions {
  std::int64_t block_size = 8;     ///< d of the quantizer that comes after
  std::int64_t swaps = 100;        ///< tried per channel
  bool normalize_filters = false;  ///< as the quantizer does
  std::uint64_t seed = 0;
};

template <OptionsOf<PermutationOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"block_size", "weights of a block", 2, 256}, options.block_size);
  visit(Field{"swaps", "swaps of two channels tried, per channel", 0, 1e6}, options.swaps);
  visit(Field{"normalize_filters", "divide every output by its root mean square first"},
        options.normalize_filters);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct ChannelPermutation {
  std::vector<std::int32_t> permutation;  ///< position p holds input channel [p]
  Report report;
};

/// Searches for the permutation of the input channels that lowers log det Σ, Σ the d × d covariance of all
/// blocks of d channels at one kernel position (the layout input_channels; of a linear layer every layout).
/// Where blocks are Gaussian, what a code of fixed rate must lose is in proportion to (det Σ)^(1/d)
/// [martinez2021permute]. Two starts, the channels as they are and as the paper's greedy rule has them: in
/// the order of their variances, so that each coordinate of the blocks holds channels of like variance. From
/// the better one swaps of two random channels, kept where log det Σ falls. Here the covariances of all pairs
/// of channels are computed once, and a swap costs O(d³), whatever the number of outputs.
///
/// The last C mod d channels, whose blocks are not complete, count for nothing where they stand. With fewer
/// than 2 d channels (one block) no order is better than another: the identity.
///
/// report: objective_history: log det Σ / d of the channels as they are, of the start, and at the end; a fall
/// by x predicts an error lower by the factor e^−x. O(outputs · positions · C²) and 4 C² bytes. The same
/// bytes for any number of threads. Throws invalid_argument (shape, options, values that are not finite) and
/// cancelled.
ChannelPermutation search_channel_permutation(const WeightView& weight,
                                              const PermutationOptions& options = {},
                                              const Context& context = Context{});

}  // namespace parsimony::quant
