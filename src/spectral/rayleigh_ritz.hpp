// The dense half of Rayleigh–Ritz: from inner products of a basis to Ritz values and a rotation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/core/matrix.hpp"

namespace parsimony::spectral {

struct RitzPairs {
  std::vector<double> values;  ///< ascending
  /// Coefficients of the Ritz vectors in the basis, one per column: orthonormal, and orthogonal to the locked
  /// columns.
  Matrix<double> factors;
};

/// gram and projected are XᵀX and XᵀLX for the columns of X: first the locked columns, which are orthonormal
/// and have these eigenvalues, then m active ones. Both are (locked + m) × m: only the columns of the active
/// ones. Directions of the active columns that rounding cannot tell from earlier ones are left out, and there
/// are then fewer than m pairs. O((locked + m) m²) time.
RitzPairs rayleigh_ritz(const Matrix<double>& gram, const Matrix<double>& projected,
                        std::span<const double> locked);

}  // namespace parsimony::spectral
