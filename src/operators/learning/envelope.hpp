// The objective of noise-aware learning: min over X of ‖Ω X‖₁ + (λ/2) ‖Y − X‖², as a function of Ω.
#pragma once

#include <cstdint>
#include <memory>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

/// Keeps the signals X and their duals S from one operator to the next: 4 (2 n + a) bytes per signal.
class Envelope {
 public:
  Envelope(MatrixView<const float> noisy, std::int64_t rows, double lambda);
  ~Envelope();

  /// Runs some iterations of Douglas–Rachford and returns the objective at the signals reached. gradient (a ×
  /// n), where not null, becomes S Xᵀ: the derivative of the minimum with respect to Ω once X and S have
  /// converged.
  double evaluate(MatrixView<const double> omega, int iterations, Matrix<double>* gradient,
                  const Context& context);

  Matrix<float> signals() const;  ///< X of the last evaluation

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parsimony::operators
