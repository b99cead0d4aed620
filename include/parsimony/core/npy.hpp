// NumPy's .npy arrays, plain or compressed: format versions 1 to 3, either byte order, rows or columns first;
// bool, int8 to int64, uint8 to uint64, float32 and float64, converted to what is asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "parsimony/core/matrix.hpp"

namespace parsimony {

/// A 1-D array of whole numbers (an n × 1 or 1 × n array counts as one; floats must be whole). A value
/// outside of the type asked for, like every broken header, throws format. max_bytes bounds the file's bytes,
/// 0 is no bound.
std::vector<std::int32_t> read_npy_int32(const std::filesystem::path& path, std::int64_t max_bytes = 0);
std::vector<std::int64_t> read_npy_int64(const std::filesystem::path& path, std::int64_t max_bytes = 0);

/// A 2-D array, rows × columns; a 1-D array of n values is n × 1. NaN and infinities come through; a finite
/// float64 outside of float32 throws format. The second keeps all of a float64.
Matrix<float> read_npy_matrix(const std::filesystem::path& path, std::int64_t max_bytes = 0);
Matrix<double> read_npy_matrix_double(const std::filesystem::path& path, std::int64_t max_bytes = 0);

/// 1-D and 2-D arrays, little-endian, rows first, through a temporary file.
void write_npy(const std::filesystem::path& path, std::span<const std::int32_t> values);
void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> values);
void write_npy(const std::filesystem::path& path, std::span<const float> values);
void write_npy(const std::filesystem::path& path, std::span<const double> values);
void write_npy(const std::filesystem::path& path, MatrixView<const float> matrix);
void write_npy(const std::filesystem::path& path, MatrixView<const double> matrix);

}  // namespace parsimony
