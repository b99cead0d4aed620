// A picture of clustered points: a map of them, coloured by cluster.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::cluster {

/// Writes a PNG of 1200 × 800 pixels, to a temporary that is then renamed: a map of the points (n × d
/// float32), coloured by their labels (of 0..clusters−1), beside the sizes of the largest clusters.
///
/// Two dimensions are drawn as they are, three as seen from a fixed direction with the box that holds them,
/// more by their first two principal components (of 5000 rows), whose share of the variance is told. One
/// dimension is spread over the height. Both axes have one scale unless one is four times as long. Points are
/// discs of up to 3 pixels; many points are a density on a logarithmic scale, and where clusters overlap
/// their colours mix. A thousandth of the points at either end is left out, and told, where it would take
/// most of the space.
///
/// O(n d) time, 16 n bytes and some megabytes. Throws Error(invalid_argument) (labels that do not fit, no
/// points, a coordinate that is not finite: its row is named), io, cancelled.
void write_point_picture(const std::filesystem::path& path, MatrixView<const float> points,
                         std::span<const std::int32_t> labels, std::int64_t clusters,
                         const Context& context = Context{});

}  // namespace parsimony::cluster
