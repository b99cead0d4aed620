// A fused step on the rows of a matrix, in blocks whose sums are added in their order.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/csr.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/spectral/operator.hpp"

namespace parsimony::spectral {

/// The blocks of kRowsPerSum rows may be computed in any order, by several threads. Everything is borrowed.
class BlockedStep {
 public:
  BlockedStep(CsrView rows, const StepFactors& factors, const FusedStep& step);

  std::int64_t blocks() const { return (rows_.rows() + kRowsPerSum - 1) / kRowsPerSum; }
  void compute(std::int64_t block);

  /// For each block its squares and then its products; empty if the step has no sums.
  std::span<const double> sums() const { return sums_.values(); }
  /// Adds the sums of all blocks, also those of other processes, to the results of the step.
  void add(std::span<const double> sums_of_all) const;

 private:
  CsrView rows_;
  const StepFactors& factors_;
  const FusedStep& step_;
  Matrix<double> sums_;
};

/// Bytes that a step on these rows moves; see Operator::bytes_per_step().
std::int64_t step_bytes(CsrView rows, const StepFactors& factors, std::int64_t width, bool accumulates);

}  // namespace parsimony::spectral
