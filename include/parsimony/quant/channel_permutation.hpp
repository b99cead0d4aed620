// Searches an order of the input channels in which blocks are easier to quantize.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/quant/weight_view.hpp"

namespace parsimony::quant {

struct PermutationOptions {
  std::int64_t block_size = 8;     ///< d of the quantizer that follows
  std::int64_t swaps = 100;        ///< swaps tried per channel; more take longer
  bool normalize_filters = false;  ///< as the quantizer that follows
  std::uint64_t seed = 0;
};

template <OptionsOf<PermutationOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"block_size", "weights of a block", 2, 256}, options.block_size);
  visit(Field{"swaps", "swaps of two channels tried, per channel", 0, 1e6}, options.swaps);
  visit(Field{"normalize_filters", "divide every output by its root mean square first"},
        options.normalize_filters);
  visit(kSeedField, options.seed);
}

struct ChannelPermutation {
  std::vector<std::int32_t> permutation;  ///< position p holds input channel [p]
  Report report;
};

/// Searches a permutation of the input channels that lowers log det Σ, where Σ is the d × d covariance of all
/// blocks of d channels at one position of the kernel (the layout input_channels; for a linear layer any
/// layout). For Gaussian blocks the error of a code of fixed rate is at least proportional to (det Σ)^(1/d)
/// [martinez2021permute]. There are two starts: the given order, and the greedy rule of the paper. This
/// rule sorts the channels by variance, so that each coordinate of the blocks holds channels of similar
/// variance. From the better start it swaps two random channels and keeps swaps that lower log det Σ. It
/// computes the covariances of all pairs of channels once, so a swap costs O(d³) for any number of outputs.
///
/// The last C mod d channels, whose blocks are incomplete, do not count. With fewer than 2 d channels (one
/// block) all orders are equal, and it returns the identity.
///
/// report: objective_history holds log det Σ / d of the given order, of the start, and at the end; a fall by
/// x predicts an error lower by the factor e^−x. O(outputs · positions · C²) and 4 C² bytes. The same bytes
/// for any number of threads. Throws invalid_argument (shape; options; values that are not finite) and
/// cancelled.
ChannelPermutation search_channel_permutation(const WeightView& weight,
                                              const PermutationOptions& options = {},
                                              const Context& context = Context{});

}  // namespace parsimony::quant
