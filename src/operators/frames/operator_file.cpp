#include "parsimony/operators/operator_file.hpp"

#include <fmt/format.h>

#include <cmath>

#include "parsimony/core/error.hpp"
#include "parsimony/core/npy.hpp"

namespace parsimony::operators {

Matrix<double> read_operator(const std::filesystem::path& path, std::int64_t max_bytes) {
  Matrix<double> omega = read_npy_matrix_double(path, max_bytes);
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorCode::format, fmt::format("{}: no operator: {}", path.string(), what));
  };
  if (omega.rows() < 1 || omega.cols() < 2) {
    refuse(fmt::format("{} × {}; must be atoms × values of a signal", omega.rows(), omega.cols()));
  }
  for (std::int64_t i = 0; i < omega.rows(); ++i) {
    bool zeros = true;
    for (const double value : omega.row(i)) {
      if (!std::isfinite(value)) refuse(fmt::format("row {} has a value that is not finite", i));
      zeros = zeros && value == 0;
    }
    if (zeros) refuse(fmt::format("row {} is all zeros", i));
  }
  return omega;
}

void write_operator(const std::filesystem::path& path, MatrixView<const double> omega) {
  write_npy(path, omega);
}

}  // namespace parsimony::operators
