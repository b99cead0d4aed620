#include "run/precision.hpp"

#include "kernels/integer_product.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::run {

Precision chosen_precision(Precision precision) {
  using enum kernels::IntegerRange;
  if (precision != Precision::automatic) return precision;
  return kernels::integer_cost(rows8) > kernels::integer_cost(rows7) ? Precision::integers7
                                                                     : Precision::integers8;
}

quant::PackedLinearOptions product_options(Precision precision, quant::KeepTiles keep_tiles) {
  switch (precision) {
    case Precision::automatic:
      break;  // resolved before
    case Precision::exact:
      return {.accuracy = quant::TableAccuracy::exact, .switch_batch = 1};
    case Precision::integers8:
      return {.tiles = quant::TileProduct::integers8, .keep_tiles = keep_tiles};
    case Precision::integers7:
      return {.tiles = quant::TileProduct::integers7, .keep_tiles = keep_tiles};
    case Precision::integers6:
      return {.tiles = quant::TileProduct::integers6, .keep_tiles = keep_tiles};
  }
  throw Error(ErrorCode::internal, "precision: not chosen");
}

quant::PackedLinearOptions product_options(const LoadOptions& options) {
  return product_options(chosen_precision(options.precision), options.keep_tiles);
}

}  // namespace parsimony::run
