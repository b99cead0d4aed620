// A chart of a list of numbers, as SVG.
#pragma once

#include <span>
#include <string>

namespace parsimony {

/// A line over the places 1, 2, … of the values, with the ends of its range beside it: the largest value, and
/// the smallest or, if no value is negative, 0, so that sizes that are nearly equal look so. Values that are
/// not finite leave a gap. If there are more than 600 values, each step of the line spans the smallest and
/// the largest of its part. Empty if no value is finite.
std::string line_chart(std::span<const double> values);

}  // namespace parsimony
