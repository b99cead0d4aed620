// Estimates the noise of coefficients most of which would be zero without it.
#pragma once

#include <vector>

namespace parsimony::operators {

/// Fits a mixture of two centred Gaussians to the values by expectation maximisation, and returns the
/// standard deviation of the narrower one. 0 when at least a quarter of the values are 0 up to rounding.
double narrow_deviation(std::vector<double> values);

}  // namespace parsimony::operators
