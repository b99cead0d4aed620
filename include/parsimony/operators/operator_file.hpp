// Operators in files: a × n, rows first, float64, as .npy.
#pragma once

#include <cstdint>
#include <filesystem>

#include "parsimony/core/matrix.hpp"

namespace parsimony::operators {

/// The operator of a .npy file, of any type of numbers. max_bytes bounds the file's bytes, 0 is no bound.
/// Throws what read_npy_matrix throws, and format for a 1-D or empty array, values that are not finite and a
/// row of zeros (named).
Matrix<double> read_operator(const std::filesystem::path& path, std::int64_t max_bytes = 0);

/// Through a temporary file, as float64.
void write_operator(const std::filesystem::path& path, MatrixView<const double> omega);

/// The operator that comes with the library, for patches of 8 × 8 pixels: 128 zero-mean rows of norm 1,
/// trained on photographs for what denoise_image gives (train_unrolled_flow with one_energy). In float32,
/// compiled in; experiments/denoising says how it was made and what it reaches.
Matrix<double> shipped_operator();

}  // namespace parsimony::operators
