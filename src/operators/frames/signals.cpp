#include "parsimony/operators/signals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/count_of.hpp"
#include "operators/frames/eigen_map.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::operators {
namespace {

constexpr std::int64_t kSignalsPerBlock = 64;
constexpr double kNothingLeft = 1e-6;  // relative length that is rounding: the null space is empty

// Makes signals one by one; order_ and basis_ are work space.
class SignalMaker {
 public:
  SignalMaker(const RowMajor& omega, const CosparseSignalOptions& options)
      : omega_(omega), options_(options), order_(omega.rows()), basis_(options.cosparsity, omega.cols()) {}

  void make(std::int64_t index, std::span<float> out) {
    draw_rows(index);
    span_rows();
    const RandomStream random(options_.seed, "cosparse.signal", static_cast<std::uint64_t>(index));
    Eigen::RowVectorXd signal(omega_.cols());
    for (Eigen::Index c = 0; c < signal.size(); ++c) signal[c] = random.normal(static_cast<std::uint64_t>(c));
    const double before = signal.norm();
    project(signal, rank_);
    const double after = signal.norm();
    if (after <= kNothingLeft * before) {
      refuse(fmt::format(
          "cosparsity: the {} drawn for signal {} {} no direction of {} that is orthogonal to all of them",
          count_of(options_.cosparsity, "row"), index, noun_of(options_.cosparsity, "leaves", "leave"),
          omega_.cols()));
    }
    for (Eigen::Index c = 0; c < signal.size(); ++c) {
      out[static_cast<std::size_t>(c)] = static_cast<float>(signal[c] / after);
    }
  }

 private:
  // Puts the rows drawn into the first places of order_, by a partial shuffle.
  void draw_rows(std::int64_t index) {
    const RandomStream random(options_.seed, "cosparse.support", static_cast<std::uint64_t>(index));
    std::iota(order_.begin(), order_.end(), Eigen::Index{0});
    for (std::int64_t k = 0; k < options_.cosparsity; ++k) {
      const auto left = static_cast<std::uint64_t>(order_.size()) - static_cast<std::uint64_t>(k);
      std::swap(order_[k],
                order_[k + static_cast<std::int64_t>(random.below(left, static_cast<std::uint64_t>(k)))]);
    }
  }

  // An orthonormal basis of the rows drawn; rows that depend on earlier ones are skipped.
  void span_rows() {
    rank_ = 0;
    for (std::int64_t k = 0; k < options_.cosparsity; ++k) {
      Eigen::RowVectorXd row = omega_.row(order_[k]);
      const double before = row.norm();
      project(row, rank_);
      const double after = row.norm();
      if (after > 1e-9 * before) basis_.row(rank_++) = row / after;
    }
  }

  // Twice, because the first pass leaves the rounding of the part that it removes.
  void project(Eigen::RowVectorXd& vector, Eigen::Index rank) const {
    for (int pass = 0; pass < 2; ++pass) {
      for (Eigen::Index r = 0; r < rank; ++r) vector -= vector.dot(basis_.row(r)) * basis_.row(r);
    }
  }

  const RowMajor& omega_;
  const CosparseSignalOptions& options_;
  std::vector<Eigen::Index> order_;
  RowMajor basis_;
  Eigen::Index rank_ = 0;
};

}  // namespace

Matrix<float> cosparse_signals(MatrixView<const double> omega, const CosparseSignalOptions& options,
                               const Context& context) {
  validate_fields(options);
  if (omega.cols < 1 || options.cosparsity > omega.rows) {
    refuse(fmt::format("cosparsity: {} of an operator of {} × {}", count_of(options.cosparsity, "row"),
                       omega.rows, omega.cols));
  }
  const RowMajor rows = as_eigen(omega);
  Matrix<float> signals(options.samples, omega.cols);
  context.for_blocks(options.samples, kSignalsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    SignalMaker maker(rows, options);
    for (std::int64_t i = begin; i < end; ++i) maker.make(i, signals.row(i));
  });
  return signals;
}

Matrix<float> with_noise(MatrixView<const float> signals, double snr_db, std::uint64_t seed) {
  if (!std::isfinite(snr_db)) {
    refuse(fmt::format("snr_db: {} is not a ratio in decibels; must be finite", snr_db));
  }
  double power = 0;
  for (std::int64_t s = 0; s < signals.rows; ++s) {
    for (const float value : signals.row(s)) power += static_cast<double>(value) * value;
  }
  const double count = std::max(1.0, static_cast<double>(signals.rows) * static_cast<double>(signals.cols));
  const auto sigma = static_cast<float>(std::sqrt(power / count) * std::pow(10.0, -snr_db / 20));
  Matrix<float> out(signals.rows, signals.cols);
  RandomStream(seed, "cosparse.noise").fill_normal(out.values(), 0, sigma);
  for (std::int64_t s = 0; s < signals.rows; ++s) {
    for (std::int64_t c = 0; c < signals.cols; ++c) out(s, c) += signals(s, c);
  }
  return out;
}

double recovered_rows(MatrixView<const double> truth, MatrixView<const double> found, double threshold) {
  if (truth.rows < 1 || truth.cols != found.cols) {
    refuse(fmt::format("operators: {} × {} and {} × {}; must have the same columns", truth.rows, truth.cols,
                       found.rows, found.cols));
  }
  RowMajor found_rows = as_eigen(found);
  found_rows.rowwise().normalize();
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < truth.rows; ++i) {
    const Eigen::VectorXd row = as_eigen(truth).row(i).normalized();
    if (found.rows > 0 && (found_rows * row).cwiseAbs().maxCoeff() > threshold) ++count;
  }
  return static_cast<double>(count) / static_cast<double>(truth.rows);
}

}  // namespace parsimony::operators
