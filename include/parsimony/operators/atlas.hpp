// Draws the rows of an operator as filters, side by side.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/image.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::operators {

struct AtlasOptions {
  std::int64_t columns = 0;  ///< tiles side by side; auto (0): as many as lines, for a square picture
  std::int64_t pixels = 4;   ///< side of the square that a value is drawn as
  bool by_frequency = true;  ///< order rows from smooth to rough; off: in the order of the operator
  double background = 255;   ///< grey level of the lines between tiles
};

template <OptionsOf<AtlasOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{.name = "columns",
              .help = "tiles side by side; auto: as many as lines",
              .low = 1,
              .high = 1 << 20,
              .word = "auto"},
        options.columns);
  visit(Field{"pixels", "side of the square that a value is drawn as", 1, 64}, options.pixels);
  visit(Field{"by_frequency", "order the rows from smooth to rough"}, options.by_frequency);
  visit(Field{"background", "grey level between the tiles", 0, 255}, options.background);
}

/// The roughness of a filter of p × p values, from 0 (constant) to nearly 8 (a chequerboard): Σ squared
/// differences of neighbours / Σ squares. 0 for a filter of zeros.
double roughness(MatrixView<const double> filter);

/// The rows of the operator ordered by roughness, the smoothest first; equal ones keep their order.
std::vector<std::int64_t> order_by_roughness(MatrixView<const double> analysis_operator);

/// analysis_operator: a × p², each row p × p values row by row. Returns a grey image with a tile for each
/// row: 0 at grey level 127.5, the largest magnitude of the row at 0 or 255; tiles are one drawn value apart.
///
/// Throws invalid_argument (no rows, columns that are not a square number, values that are not finite, more
/// than 2^28 pixels).
Image atlas(MatrixView<const double> analysis_operator, const AtlasOptions& options = {});

}  // namespace parsimony::operators
