// min over X of ‖Ω X‖₁ + (λ/2) ‖Y − X‖² as a function of Ω: what noise-aware learning descends.
#pragma once

#include <cstdint>
#include <memory>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

/// The signals X and their duals S go on from where the last operator left them: 4 (2 n + a) bytes per
/// signal.
class Envelope {
 public:
  Envelope(MatrixView<const float> noisy, std::int64_t rows, double lambda);
  ~Envelope();

  /// Some iterations of Douglas–Rachford, then the objective at the signals reached; gradient (a × n), where
  /// not null, becomes S Xᵀ, the derivative of the minimum by Ω where X and S have converged.
  double evaluate(MatrixView<const double> omega, int iterations, Matrix<double>* gradient,
                  const Context& context);

  Matrix<float> signals() const;  ///< X of the last evaluation

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parsimony::operators
