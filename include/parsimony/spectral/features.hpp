// Random features: filtered Gaussian signals whose rows keep the distances of spectral clustering
// [tremblay2016compressive, tremblay2016accelerated].
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/graph/laplacian.hpp"
#include "parsimony/spectral/operator.hpp"

namespace parsimony::spectral {

/// The N × d matrix h(L) R with R Gaussian of variance 1/d. ‖f_i − f_j‖ approximates the distance of i and j
/// in the span of the eigenvectors that h lets pass (Johnson–Lindenstrauss). The rows are not normalised.
/// O(order · E · d) time; two panels of N × min(d, 32) floats beside the result (and a third unless d is 16,
/// 32, 48 or 64).
Matrix<float> random_features(const graph::Laplacian& laplacian, std::span<const double> low_pass,
                              std::int64_t features, std::uint64_t seed = 0,
                              const Context& context = Context{});

/// The rows of that matrix that this process holds.
Matrix<float> random_features(const Operator& op, std::span<const double> low_pass, std::int64_t features,
                              std::uint64_t seed = 0, const Context& context = Context{});

/// Divides every row by its Euclidean norm; a row of zeros stays.
void normalize_rows(MatrixView<float> rows, const Context& context = Context{});

}  // namespace parsimony::spectral
