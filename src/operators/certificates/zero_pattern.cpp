#include "operators/certificates/zero_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/count_of.hpp"
#include "operators/frames/checks.hpp"
#include "operators/frames/eigen_map.hpp"
#include "operators/frames/unit_rows.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::operators {
namespace {

constexpr std::int64_t kChunk = 256;      // signals whose coefficients are in memory at once
constexpr std::int64_t kMostBlocks = 64;  // partial sums of a × n values
constexpr std::int64_t kRowsAtOnce = 1;

std::int64_t block_of(std::int64_t samples) {
  const std::int64_t share = (samples + kMostBlocks - 1) / kMostBlocks;
  return std::max(kChunk, (share + kChunk - 1) / kChunk * kChunk);
}

Eigen::Map<const Eigen::VectorXf> signal(MatrixView<const float> signals, std::int64_t j) {
  return {signals.row_data(j), signals.cols};
}

// body(first signal, its chunk in float64, the coefficients of the chunk, signals × a).
template <class Body>
void for_chunks(MatrixView<const double> omega, MatrixView<const float> signals, std::int64_t begin,
                std::int64_t end, Body&& body) {
  for (std::int64_t first = begin; first < end; first += kChunk) {
    const std::int64_t count = std::min(kChunk, end - first);
    RowMajor chunk(count, signals.cols);
    for (std::int64_t j = 0; j < count; ++j) {
      chunk.row(j) = signal(signals, first + j).cast<double>().transpose();
    }
    const RowMajor coefficients = chunk * as_eigen(omega).transpose();
    body(first, chunk, coefficients);
  }
}

struct BlockZeros {
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;  // (row, signal)
  RowMajor gradient;
  CosparsityProfile profile;
  double objective = 0, zero_sum = 0;
};

void check(MatrixView<const double> omega, MatrixView<const float> signals, double tolerance) {
  if (omega.rows < 1 || omega.cols < 1) refuse("operator: it has no rows");
  check_signals(signals);
  if (signals.cols != omega.cols) {
    refuse(fmt::format(
        "signals: they have {} each, but the rows of the operator have {}; one signal a row is expected",
        count_of(signals.cols, "value"), omega.cols));
  }
  if (!(tolerance >= 0 && tolerance < 1)) {
    refuse(fmt::format("zero_tolerance: {} is outside of [0, 1)", tolerance));
  }
  unit_rows(omega);  // refuses rows of zeros and values that are not finite
}

}  // namespace

ZeroPattern find_zeros(MatrixView<const double> omega, MatrixView<const float> signals, double tolerance,
                       const Context& context) {
  check(omega, signals, tolerance);
  const std::int64_t a = omega.rows, samples = signals.rows, block = block_of(samples);
  const Eigen::VectorXd norms = as_eigen(omega).rowwise().norm();
  std::vector<BlockZeros> parts((samples + block - 1) / block);
  context.for_blocks(samples, block, [&](std::int64_t begin, std::int64_t end) {
    BlockZeros& part = parts[begin / block];
    part.gradient = RowMajor::Zero(a, omega.cols);
    part.profile.signals.assign(a + 1, 0);
    for_chunks(omega, signals, begin, end, [&](std::int64_t first, const RowMajor& chunk, const RowMajor& z) {
      RowMajor signs = z.cwiseSign();
      part.objective += z.cwiseAbs().sum();
      for (std::int64_t j = 0; j < chunk.rows(); ++j) {
        const double length = chunk.row(j).norm();
        if (length == 0) {
          ++part.profile.zero_signals;
          continue;
        }
        std::int64_t zeros = 0;
        for (std::int64_t i = 0; i < a; ++i) {
          const double size = std::abs(z(j, i)), relative = size / (length * norms[i]);
          if (relative > tolerance) {
            part.profile.smallest_nonzero = std::min(part.profile.smallest_nonzero, relative);
            continue;
          }
          part.profile.largest_zero = std::max(part.profile.largest_zero, relative);
          part.zero_sum += size;
          part.pairs.emplace_back(i, first + j);
          signs(j, i) = 0;
          ++zeros;
        }
        ++part.profile.signals[zeros];
      }
      part.gradient.noalias() += signs.transpose() * chunk;
    });
  });

  ZeroPattern out;
  out.gradient = Matrix<double>(a, omega.cols);
  out.profile.signals.assign(a + 1, 0);
  out.profile.rows.assign(a, 0);
  for (const BlockZeros& part : parts) {
    as_eigen(out.gradient.view()) += part.gradient;
    out.objective += part.objective;
    out.zero_sum += part.zero_sum;
    out.profile.zeros += static_cast<std::int64_t>(part.pairs.size());
    out.profile.zero_signals += part.profile.zero_signals;
    out.profile.largest_zero = std::max(out.profile.largest_zero, part.profile.largest_zero);
    out.profile.smallest_nonzero = std::min(out.profile.smallest_nonzero, part.profile.smallest_nonzero);
    for (std::int64_t k = 0; k <= a; ++k) out.profile.signals[k] += part.profile.signals[k];
    for (const auto& [row, at] : part.pairs) ++out.profile.rows[row];
  }
  const std::int64_t told = samples - out.profile.zero_signals;
  out.profile.mean = told > 0 ? static_cast<double>(out.profile.zeros) / static_cast<double>(told) : 0.0;
  out.offsets.assign(a + 1, 0);
  for (std::int64_t i = 0; i < a; ++i) out.offsets[i + 1] = out.offsets[i] + out.profile.rows[i];
  out.signals.resize(out.profile.zeros);
  std::vector<std::int64_t> next(out.offsets.begin(), out.offsets.end() - 1);
  for (const BlockZeros& part : parts) {
    for (const auto& [row, at] : part.pairs) out.signals[next[row]++] = at;
  }
  return out;
}

double analysis_objective(MatrixView<const double> omega, MatrixView<const float> signals,
                          const Context& context) {
  return context.sum_blocks(signals.rows, block_of(signals.rows), [&](std::int64_t begin, std::int64_t end) {
    double sum = 0;
    for_chunks(omega, signals, begin, end,
               [&](std::int64_t, const RowMajor&, const RowMajor& z) { sum += z.cwiseAbs().sum(); });
    return sum;
  });
}

CosparsityProfile cosparsity_profile(MatrixView<const double> omega, MatrixView<const float> signals,
                                     double tolerance, const Context& context) {
  return find_zeros(omega, signals, tolerance, context).profile;
}

void ZeroMap::apply(MatrixView<const double> delta, std::span<double> out) const {
  const auto matrix = as_eigen(delta);
  context_.for_blocks(rows(), kRowsAtOnce, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Eigen::VectorXd row = matrix.row(i).transpose();
      for (std::int64_t k = pattern_.offsets[i]; k < pattern_.offsets[i + 1]; ++k) {
        out[k] = signal(signals_, pattern_.signals[k]).cast<double>().dot(row);
      }
    }
  });
}

void ZeroMap::adjoint(std::span<const double> multipliers, bool with_gradient, MatrixView<double> out) const {
  auto matrix = as_eigen(out);
  context_.for_blocks(rows(), kRowsAtOnce, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Eigen::VectorXd sum = Eigen::VectorXd::Zero(out.cols);
      for (std::int64_t k = pattern_.offsets[i]; k < pattern_.offsets[i + 1]; ++k) {
        sum += multipliers[k] * signal(signals_, pattern_.signals[k]).cast<double>();
      }
      if (with_gradient) sum += as_eigen(pattern_.gradient.view()).row(i).transpose();
      matrix.row(i) = sum.transpose();
    }
  });
}

Matrix<double> ZeroMap::blocks() const {
  const std::int64_t n = signals_.cols;
  Matrix<double> out(rows() * n, n);
  context_.for_blocks(rows(), kRowsAtOnce, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      auto block = as_eigen(MatrixView<double>(out.row(i * n).data(), n, n));
      for (std::int64_t first = pattern_.offsets[i]; first < pattern_.offsets[i + 1]; first += kChunk) {
        const std::int64_t count = std::min(kChunk, pattern_.offsets[i + 1] - first);
        RowMajor chunk(count, n);
        for (std::int64_t k = 0; k < count; ++k) {
          chunk.row(k) = signal(signals_, pattern_.signals[first + k]).cast<double>().transpose();
        }
        block.noalias() += chunk.transpose() * chunk;
      }
    }
  });
  return out;
}

}  // namespace parsimony::operators
