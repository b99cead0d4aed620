// Denoises by a truncated gradient flow: a few descent steps of an analysis model, whose filters, weights and
// step sizes were trained for the quality of the last step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/images/image_denoising.hpp"

namespace parsimony::images {

/// The steps, in units of the noise's standard deviation, from x₀ = y, the noisy image (x₋₁ = x₀):
///
///   x_s = x_{s−1} − α_s g_s + β_s (x_{s−1} − x_{s−2})
///   g_s = x_{s−1} − y + Σ_i W_{s,i}ᵀ [2 θ_{s,i} r (1 / (1 + r²) + 3 ρ_{s,i} / (9 + r²) + 9 ρ'_{s,i} / (81 +
///   r²))] r = W_{s,i} ⋆ x_{s−1},  W_{s,i} = exp(λ_s + λ_{s,i}) · (B_s Φ)_i
///
/// with Φ the side² − 1 zero-mean filters of the discrete cosine transform. With ρ = ρ' = 0 a step descends
/// ½‖x − y‖² + Σ_i θ_{s,i} Σ_u log(1 + r_i(u)²), the log penalty of an analysis model with its own scales; ρ
/// and ρ' give large coefficients another influence, also of the other sign, as free-form influence functions
/// do [chen2017trainable]. In general the steps do not descend one energy in common, so a flow is not an
/// analysis operator; flow_operator returns the operator of flows that do.
struct UnrolledFlow {
  std::int64_t side = 8;  ///< pixels of a filter's side, 2 to 16
  Matrix<double> mixing;  ///< B: filters × (side² − 1), or a B_s for every step below each other
  std::vector<double> log_step_scales;  ///< λ_s
  Matrix<double> log_scales;            ///< λ_{s,i}: steps × filters
  Matrix<double> log_weights;           ///< ln θ_{s,i}: steps × filters
  Matrix<double> tails;  ///< ρ_{s,i}, ρ'_{s,i}: steps × 2 filters, the two of a filter side by side
  std::vector<double> log_rates;  ///< ln α_s
  std::vector<double> momenta;    ///< β_s

  std::int64_t steps() const { return log_scales.rows(); }
  std::int64_t filters() const { return log_scales.cols(); }
  bool shared() const { return mixing.rows() == filters(); }  ///< one B for all steps
};

/// The side² − 1 zero-mean filters of the orthonormal discrete cosine transform of type 2 on side × side
/// patches, one a row, row-major, the constant one left out.
Matrix<double> zero_mean_dct(std::int64_t side);

/// The start of training: the DCT's own filters (and, beyond side² − 1 of them, random mixtures), e^{2 λ_s}
/// geometric from 2 to 40, weights 0.96 / filters, rates below those that make a step unstable, momenta 0.3.
/// Throws invalid_argument (side outside 2 to 16, filters or steps outside 1 to 1024).
UnrolledFlow initial_unrolled_flow(std::int64_t filters = 63, std::int64_t steps = 10, std::int64_t side = 8);

/// The start of training an operator: the filters of initial_unrolled_flow with norm 1, the default ν and
/// weight of denoise_by_operator, rates of 1.5 / (1 + weight ν filters / 2), momenta 0.5. Every step descends
/// the energy of denoise_by_operator.
UnrolledFlow initial_energy_flow(std::int64_t filters = 63, std::int64_t steps = 10, std::int64_t side = 8);

/// The operator whose energy all steps descend: B Φ, filters × side², rows of norm 1, patches row-major.
/// Throws invalid_argument where there is none (scales, weights or filters differ between steps, or tails).
Matrix<double> flow_operator(const UnrolledFlow& flow);

/// Throws Error(code) when shapes do not fit each other or a value is not finite; name begins the message.
void check_unrolled_flow(const UnrolledFlow& flow, const std::string& name,
                         ErrorCode code = ErrorCode::invalid_argument);

/// The shipped flow for this sigma, the standard deviation of the noise on the scale of grey values 0 to 255:
/// among the flows that come with the library, the one trained for the nearest sigma in ratio. Compiled in;
/// experiments/denoising says how it was trained and how well it denoises.
UnrolledFlow shipped_flow(double sigma);

/// Denoises a grey image by the steps of the flow: one stage of denoise(). image: any height and width from 1
/// on, any scale of values. sigma: the standard deviation of its noise, white and Gaussian, on the same
/// scale, at least kLeastSigma. The image is continued symmetrically by `side` pixels on each side.
///
/// 4 · steps · filters · side² flops a pixel, at 80 % of the peak of two cores; memory: 4 images in float32
/// and 1 MiB a thread. The same bytes for any number of threads.
///
/// report: figure "rms_change", the root mean square of the change. Throws invalid_argument (no pixels; a
/// pixel that is not finite: named; sigma; a flow whose arrays do not fit together) and cancelled.
DenoisedImage denoise_by_flow(MatrixView<const float> image, const UnrolledFlow& flow, double sigma,
                              const Context& context = Context{});

/// Writes a .npz archive (numpy.load reads it) through a temporary file: float64 arrays with the names of the
/// fields, side and version (int64 scalars). Throws invalid_argument, io.
void save_unrolled_flow(const OutputPath& path, const UnrolledFlow& flow);

/// Reads a file of save_unrolled_flow; arrays of other numeric types are converted. Throws io, format,
/// unsupported (a later version), memory_limit (max_bytes; 0: unlimited).
UnrolledFlow load_unrolled_flow(const std::filesystem::path& path, std::int64_t max_bytes = 0);

}  // namespace parsimony::images
