#include "parsimony/operators/operator_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "operators/frames/checks.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/npy.hpp"

namespace parsimony::operators {

Matrix<double> read_operator(const std::filesystem::path& path, std::int64_t max_bytes) {
  Matrix<double> omega = read_npy_matrix_double(path, max_bytes);
  const auto fail = [&](const std::string& message) {
    throw Error(ErrorCode::format, fmt::format("{}: not an operator: {}", path.string(), message));
  };
  if (omega.rows() < 1 || omega.cols() < 2) {
    fail(fmt::format("{} × {}; must be rows × values of a signal", omega.rows(), omega.cols()));
  }
  const std::int64_t row = row_not_finite<double>(omega);
  if (row >= 0) fail(fmt::format("row {} has a value that is not finite", row));
  for (std::int64_t i = 0; i < omega.rows(); ++i) {
    if (std::ranges::all_of(omega.row(i), [](double value) { return value == 0; })) {
      fail(fmt::format("row {} is all zeros", i));
    }
  }
  return omega;
}

Matrix<float> read_signals(const std::filesystem::path& path, std::int64_t max_bytes) {
  Matrix<float> signals = read_npy_matrix(path, max_bytes);
  const auto fail = [&](const std::string& message) {
    throw Error(ErrorCode::format, fmt::format("{}: {}", path.string(), message));
  };
  if (signals.rows() < 1 || signals.cols() < 2) {
    fail(
        fmt::format("{} × {}; must be signals × values, at least 2 of them", signals.rows(), signals.cols()));
  }
  const std::int64_t row = row_not_finite<float>(signals);
  if (row >= 0) fail(fmt::format("row {} has a value that is not finite", row));
  return signals;
}

void write_operator(const OutputPath& path, MatrixView<const double> omega) {
  write_npy(path, omega);
}

}  // namespace parsimony::operators
