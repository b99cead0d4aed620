// A picture of clustered points: a map of them, coloured by cluster.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/output_file.hpp"

namespace parsimony::cluster {

/// The bytes of a PNG of 1200 × 800 pixels: a map of the points (n × d float32), coloured by their labels
/// (0..clusters−1), beside the sizes of the largest clusters.
///
/// Two dimensions are drawn as they are; three from a fixed direction, with the box around them; more by
/// their first two principal components (of 5000 rows), with their share of the variance in the caption. One
/// dimension is spread over the height. Both axes have the same scale unless one is four times as long.
/// Points are discs of up to 3 pixels; many points become a density on a logarithmic scale, and overlapping
/// colours mix. A thousandth of the points at either end is left out, and the caption says so, if these would
/// take most of the space.
///
/// O(n d) time, 16 n bytes and some megabytes. Throws invalid_argument (labels that do not fit, no points, a
/// coordinate that is not finite, whose row is named) and cancelled.
std::string point_picture(MatrixView<const float> points, std::span<const std::int32_t> labels,
                          std::int64_t clusters, const Context& context = Context{});

/// Writes point_picture() to a file. Also throws io.
void write_point_picture(const OutputPath& path, MatrixView<const float> points,
                         std::span<const std::int32_t> labels, std::int64_t clusters,
                         const Context& context = Context{});

}  // namespace parsimony::cluster
