// The dense half of Rayleigh–Ritz: from inner products of a basis to Ritz values and a rotation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/matrix.hpp"

namespace parsimony::spectral {

struct RitzPairs {
  std::vector<double> values;  ///< ascending
  /// Of the Ritz vectors in the basis, one per column: orthonormal, and orthogonal to the locked columns.
  Matrix<double> factors;
};

/// gram and projected are XᵀX and XᵀLX for the columns of X: first the locked ones, orthonormal and of these
/// eigenvalues, then m active ones; both are (locked + m) × m, the columns of the active ones. Directions of
/// the active columns that rounding cannot tell from those before them are left out: there are then fewer
/// than m pairs. O((locked + m) m²).
RitzPairs rayleigh_ritz(const Matrix<double>& gram, const Matrix<double>& projected,
                        std::span<const double> locked);

}  // namespace parsimony::spectral
