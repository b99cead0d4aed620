// Runs the steps of an unrolled flow: forward on bands of an image, and backward through all of them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/filter_bank.hpp"
#include "kernels/lorentzian.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/images/unrolled_flow.hpp"

namespace parsimony::images {

/// Limit of every parameter: beyond it float32 filters and coefficients would overflow.
inline constexpr double kLargestFlowValue = 30;

/// Throws invalid_argument, beginning with name, unless all steps descend the energy of one operator. This
/// means filters of norm 1, scale and weight in common, and no tails.
void check_one_energy(const UnrolledFlow& flow, const std::string& name);

/// One step, with its filters computed.
struct FlowStep {
  Matrix<float> filters;  ///< W_s: filters × side²
  std::vector<kernels::LorentzianWeights> weights;
  float rate = 0;
  float momentum = 0;
  kernels::FilterBank bank;
};

/// B Φ, or every B_s Φ below each other.
Matrix<double> mixed_filters(const UnrolledFlow& flow);

std::vector<FlowStep> flow_steps(const UnrolledFlow& flow);

/// adjoint += Σ_i W_iᵀ [influence of W_i ⋆ image] over the positions of `rows` rows. image and adjoint point
/// to the first pixel that the first of these positions covers; rows of both are `stride` apart and `width`
/// wide.
void add_penalty_gradient(const FlowStep& step, const float* image, std::int64_t width, std::int64_t stride,
                          std::int64_t rows, float* adjoint);

/// Derivatives of a loss with respect to the values that a step computes with.
struct FlowStepGradient {
  Matrix<double> filters;                      ///< by W_s
  std::vector<std::array<double, 3>> weights;  ///< by the weights of the three parts of each influence
  double rate = 0;
  double momentum = 0;
};

/// Returns ln of the mean squared error of x_S against clean inside a margin of `margin` pixels; noisy and
/// clean are height × width, contiguous, in units of sigma, and are not continued. gradient, when not null,
/// gets an entry per step, written.
///
/// The backward pass costs 2.5 times the forward pass, because it recomputes the coefficients.
double flow_loss(const std::vector<FlowStep>& steps, MatrixView<const float> noisy,
                 MatrixView<const float> clean, std::int64_t margin, std::vector<FlowStepGradient>* gradient);

/// The mean over `parts` (one per crop) of the derivatives by the parameters of flow, in its shape.
UnrolledFlow flow_gradient(const UnrolledFlow& flow, const std::vector<FlowStep>& steps,
                           const std::vector<std::vector<FlowStepGradient>>& parts);

}  // namespace parsimony::images
