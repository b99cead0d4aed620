// Operators and signals in files, and the operator that comes with the library.
#pragma once

#include <cstdint>
#include <filesystem>

#include "parsimony/core/matrix.hpp"
#include "parsimony/core/output_file.hpp"

namespace parsimony::operators {

/// The operator of a .npy file: a × n, a row for each of its rows, of any numeric type. max_bytes bounds the
/// file's bytes; 0: unlimited. Throws what read_npy_matrix throws, and format for a 1-D or empty array, a
/// value that is not finite or a row of zeros (named).
Matrix<double> read_operator(const std::filesystem::path& path, std::int64_t max_bytes = 0);

/// The signals of a .npy file: samples × n, a signal a row, n ≥ 2. max_bytes as above. Throws what
/// read_npy_matrix throws, and format for fewer values or a value that is not finite (its row is named).
Matrix<float> read_signals(const std::filesystem::path& path, std::int64_t max_bytes = 0);

/// Writes the operator as float64 .npy, through a temporary file.
void write_operator(const OutputPath& path, MatrixView<const double> analysis_operator);

/// The operator that comes with the library, for patches of 8 × 8 pixels: 128 zero-mean rows of norm 1 in
/// float32, trained on photographs for the quality of denoise_by_operator (train_unrolled_flow with
/// one_energy). It is compiled in; experiments/denoising says how it was made and how well it denoises.
Matrix<double> shipped_operator();

}  // namespace parsimony::operators
