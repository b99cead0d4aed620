// One step of the Chebyshev recurrence on a panel of signals: the hot loop of every graph filter.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Floats of a row that one gather moves: one cache line.
inline constexpr std::int64_t kLine = 16;
/// Rows of a panel are 1 to 4 lines wide; wider signals are filtered panel by panel.
inline constexpr std::int64_t kMaxPanelWidth = 4 * kLine;

/// Computes for the rows i of [begin, end), with sums over the stored entries (i, j) of the matrix:
///   next_i = neighbor_i · Σ_j w_ij current_j + own_i · current_i − previous_i
///   accumulator_i += coefficient · next_i                      (accumulator != nullptr)
///   squares_c += weight_i · next_ic²,  products_c += weight_i · next_ic · current_ic    (weight != nullptr)
///
/// Panels are row-major on 64-byte boundaries with `width` floats per row; width is a multiple of kLine up to
/// kMaxPanelWidth. next overwrites previous. With `first` the step makes T_1: previous counts as zero and the
/// rest is halved. own = nullptr means zeros, values = nullptr means ones. Sums of squares and products are
/// float32 within 64 rows and float64 beyond. The sum over j is float32, in parts of 512 entries.
///
/// Limit: memory. A row moves (degree + 2 + 2 [accumulator]) · width · 4 bytes and degree · (4 + 4 [values])
/// bytes of the matrix for degree · width fused multiply-adds.
struct ChebyshevStep {
  const std::int64_t* offsets;
  const std::int32_t* columns;
  const float* values;
  const float* neighbor;
  const float* own;
  const float* current;
  float* previous;
  bool first;
  float* accumulator;
  float coefficient;
  const float* weight;
  double* squares;
  double* products;
  std::int64_t width;
};

void chebyshev_step(const ChebyshevStep& step, std::int64_t begin, std::int64_t end);

/// The same in plain C++, as a reference for tests.
void chebyshev_step_scalar(const ChebyshevStep& step, std::int64_t begin, std::int64_t end);

}  // namespace parsimony::kernels
