// NumPy's .npy arrays, plain or compressed: format versions 1 to 3, either byte order, C or Fortran order;
// bool, int8 to int64, uint8 to uint64, float16, float32 and float64, converted to the type of the function.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "parsimony/core/matrix.hpp"
#include "parsimony/core/output_file.hpp"

namespace parsimony {

/// Reads a 1-D array of whole numbers; n × 1 and 1 × n arrays count as 1-D, and floats must be whole.
/// max_bytes limits the bytes of the file after decompression; 0: no limit. Throws io, memory_limit, and
/// format for a broken header or a value that the type cannot hold.
std::vector<std::int32_t> read_npy_int32(const std::filesystem::path& path, std::int64_t max_bytes = 0);
std::vector<std::int64_t> read_npy_int64(const std::filesystem::path& path, std::int64_t max_bytes = 0);

/// Reads a 2-D array, rows × columns; a 1-D array of n values becomes n × 1. NaN and infinities are kept; a
/// finite float64 that float32 cannot hold throws format. The second function keeps float64.
Matrix<float> read_npy_matrix(const std::filesystem::path& path, std::int64_t max_bytes = 0);
Matrix<double> read_npy_matrix_double(const std::filesystem::path& path, std::int64_t max_bytes = 0);

/// Writes a 1-D or 2-D array, little-endian, in C order, through an AtomicFile. Throws io.
void write_npy(const OutputPath& path, std::span<const std::int32_t> values);
void write_npy(const OutputPath& path, std::span<const std::int64_t> values);
void write_npy(const OutputPath& path, std::span<const float> values);
void write_npy(const OutputPath& path, std::span<const double> values);
void write_npy(const OutputPath& path, MatrixView<const float> matrix);
void write_npy(const OutputPath& path, MatrixView<const double> matrix);

}  // namespace parsimony
