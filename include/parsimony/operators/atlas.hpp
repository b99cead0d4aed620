// The rows of an operator as pictures: an atlas of filters.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/image.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::operators {

struct AtlasOptions {
  std::int64_t columns = 0;  ///< tiles side by side; 0: about as many as there are lines
  std::int64_t pixels = 4;   ///< side of the square that a value is drawn as
  bool by_frequency = true;  ///< from smooth to rough; else in the order of the operator
  double background = 255;   ///< grey level of the lines between tiles
};

template <OptionsOf<AtlasOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"columns", "tiles side by side; 0: about as many as lines", 0, 1 << 20}, options.columns);
  visit(Field{"pixels", "side of the square that a value is drawn as", 1, 64}, options.pixels);
  visit(Field{"by_frequency", "order the rows from smooth to rough"}, options.by_frequency);
  visit(Field{"background", "grey level between the tiles", 0, 255}, options.background);
}

/// How rough a filter of p × p values is: the sum of the squared differences of neighbours over the sum of
/// squares, from 0 (constant) to nearly 8 (a chequerboard). A filter of zeros has 0.
double roughness(MatrixView<const double> filter);

/// Rows of the operator by roughness, the smoothest first; equal ones in their order.
std::vector<std::int64_t> order_by_roughness(MatrixView<const double> analysis);

/// analysis: a × p², a row being p × p values row by row. A grey image: each row a tile, its 0 at grey level
/// 127.5, its largest magnitude at 0 or 255; tiles are one drawn value apart.
///
/// Throws invalid_argument (no rows, columns that are no square, values that are not finite, more than 2^28
/// pixels).
Image atlas(MatrixView<const double> analysis, const AtlasOptions& options = {});

}  // namespace parsimony::operators
