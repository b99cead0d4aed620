// How layers in codes multiply at each precision.
#pragma once

#include "parsimony/quant/packed_linear.hpp"
#include "parsimony/run/network.hpp"

namespace parsimony::run {

/// The precision that `automatic` stands for on the current SIMD target; any other one is itself.
Precision chosen_precision(Precision precision);

/// precision: not automatic. `exact` keeps no tiles.
quant::PackedLinearOptions product_options(Precision precision, quant::KeepTiles keep_tiles);
/// Those of a network that is loaded with these options.
quant::PackedLinearOptions product_options(const LoadOptions& options);

}  // namespace parsimony::run
