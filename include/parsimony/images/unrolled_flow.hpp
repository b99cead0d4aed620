// Denoising by a truncated gradient flow: a few descent steps of an analysis model whose filters, weights and
// step sizes were trained for what the last step gives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/report.hpp"

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
/// do [chen2017trainable]. In general there is no one energy that all the steps descend, which is why this is
/// no analysis operator and has a name of its own; flow_operator is for those where there is.
struct UnrolledFlow {
  std::int64_t side = 8;  ///< of a filter, 2 to 16
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

/// Where training starts: the DCT's own filters (behind the side² − 1 of them random mixtures), e^{2 λ_s}
/// geometric from 2 to 40, weights 0.96 / filters, rates below what makes a step unstable, momenta 0.3.
/// Throws invalid_argument (side outside 2 to 16, filters or steps outside 1 to 1024).
UnrolledFlow initial_unrolled_flow(std::int64_t filters = 63, std::int64_t steps = 10, std::int64_t side = 8);

/// Where training of an operator starts: the filters of initial_unrolled_flow with norm 1, the scale and the
/// weight that denoise_image takes by itself, rates of 1.5 / (1 + weight ν filters / 2), momenta 0.5. Every
/// step descends the energy of denoise_image.
UnrolledFlow initial_energy_flow(std::int64_t filters = 63, std::int64_t steps = 10, std::int64_t side = 8);

/// The operator whose energy all steps descend: B Φ, filters × side², rows of norm 1, patches row-major.
/// Throws invalid_argument where they do not (scales, weights or filters differ between steps, tails).
Matrix<double> flow_operator(const UnrolledFlow& flow);

/// Throws invalid_argument, or what `code` says, when shapes do not fit each other or a value is not finite;
/// name begins the message.
void check_unrolled_flow(const UnrolledFlow& flow, const std::string& name,
                         ErrorCode code = ErrorCode::invalid_argument);

/// The flow that comes with the library for noise of that standard deviation on the scale of grey values, 0
/// to 255: of those trained, the one whose own is nearest in ratio. Compiled in, so that it is there wherever
/// the library is; experiments/denoising says how it was trained and what it reaches.
UnrolledFlow shipped_flow(double sigma);

struct FlowDenoising {
  Matrix<float> image;
  Report report;
};

/// image: any height and width from 1 on, any scale of values. sigma: the standard deviation of its noise,
/// white and Gaussian, on the same scale, 1e-6 at least. Continued symmetrically by `side` on each side.
///
/// 4 · steps · filters · side² flops a pixel, at 80 % of what two cores multiply and add at best; memory: 4
/// images in float32 and 1 MiB a thread. The same bytes for any number of threads.
///
/// report: figure "rms_change", the root mean square of what was taken off. Throws invalid_argument (no
/// pixels; a pixel that is not finite: named; sigma; a flow that does not fit together) and cancelled.
FlowDenoising denoise_by_flow(MatrixView<const float> image, double sigma, const UnrolledFlow& flow,
                              const Context& context = Context{});

/// Writes a .npz archive (numpy.load reads it) through a temporary file that is then renamed: float64 arrays
/// with the names of the fields, side and version (int64 scalars). Throws invalid_argument, io.
void save_unrolled_flow(const std::filesystem::path& path, const UnrolledFlow& flow);

/// Reads what save_unrolled_flow wrote; arrays of other numeric types are converted. Throws io, format,
/// unsupported (a later version), memory_limit (max_bytes, 0 is no bound).
UnrolledFlow load_unrolled_flow(const std::filesystem::path& path, std::int64_t max_bytes = 0);

}  // namespace parsimony::images
