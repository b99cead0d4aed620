// The noise of coefficients most of which would be zero without it.
#pragma once

#include <vector>

namespace parsimony::operators {

/// The standard deviation of the narrower of two centred Gaussians whose mixture the values are, by
/// expectation maximisation; 0 when at least a quarter of the values are (rounding beside the largest).
double narrow_deviation(std::vector<double> values);

}  // namespace parsimony::operators
