#include "parsimony/spectral/eigenvectors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/density.hpp"
#include "spectral/panel.hpp"
#include "spectral/rayleigh_ritz.hpp"
#include "spectral/tall.hpp"

namespace parsimony::spectral {
namespace {

constexpr double kGrowth = 1e4;        // growth of the lowest direction over the highest in one pass
constexpr double kLockedGrowth = 1e9;  // growth of a locked direction, which is present only as rounding
constexpr int kDensityOrder = 30;      // a first guess: the Ritz values correct it
constexpr double kMostLoss = 4;        // digits, as a factor, that a Ritz vector may lose by cancellation
constexpr double kMargin = 8;          // by which a last pass should undercut the tolerance

class FilteredSubspace {
 public:
  FilteredSubspace(const Operator& op, const EigenOptions& options, const Context& context)
      : op_(op),
        scale_(op.scale()),
        options_(options),
        context_(context),
        nodes_(op.rows()),
        connected_(rows_with_edges(op)) {
    refuse_several_processes(op, "finding eigenvectors");
    if (options.count > connected_) {
      refuse(fmt::format("count: {} {} more than the {} with edges", count_of(options.count, "eigenvector"),
                         noun_of(options.count, "is", "are"), count_of(connected_, "node")));
    }
    dimension_ = subspace_dimension(options, connected_);
    basis_ = Matrix<float>(nodes_, (dimension_ + kPanelWidth - 1) / kPanelWidth * kPanelWidth);
    values_.assign(dimension_, 0);
    residuals_.assign(dimension_, 0);
    loss_.assign(dimension_, 1);
    tolerance_ = options.tolerance * op.lambda_max() / 2;
  }

  Eigenvectors run(const SpectralDensity* density) {
    Eigenvectors out;
    out.report = make_report("Chebyshev-filtered subspace", context_, options_.seed);
    record_options(out.report, options_);
    start();
    const bool complete = dimension_ == connected_;  // the subspace is everything: no filter is needed
    double cutoff = op_.lambda_max();
    if (!complete) {
      StageTimer timer(out.report, "cut-off");
      std::optional<SpectralDensity> counted;
      if (density == nullptr) {
        counted = spectral_density(op_, {.order = kDensityOrder, .seed = options_.seed}, {}, context_);
        products_ += counted->order() * counted->moments().rows();
      }
      cutoff = (counted ? *counted : *density).eigenvalue(static_cast<double>(dimension_));
    }
    StageTimer timer(out.report, "subspace");
    panel_ = Matrix<float>(nodes_, std::min(basis_.cols(), kMaxPanelWidth));
    work_ = Matrix<float>(nodes_, panel_.cols());
    out.report.status = Status::iteration_limit;
    for (int pass = 0; pass < options_.max_iterations; ++pass) {
      // A cut-off right below lambda_max would leave nothing to damp.
      cutoff = std::min(cutoff, 0.95 * op_.lambda_max());
      const int degree = complete ? 0 : degree_of(pass, cutoff);
      if (degree > 0) filter_active(cutoff, degree);
      rotate(pass);
      lock();
      out.report.iterations = pass + 1;
      out.report.objective_history.push_back(worst_residual());
      report_progress(out.report.objective_history);
      if (locked_ >= options_.count) {
        out.report.status = Status::converged;
        break;
      }
      // The last Ritz values have not converged and lie too high; those below are nearer to the eigenvalues.
      cutoff = values_[dimension_ - 1 - (dimension_ - options_.count) / 4];
      // All columns belong to one multiple eigenvalue on the cut-off, where nothing grows. A higher cut-off
      // damps the rest of the spectrum relative to it.
      const auto& history = out.report.objective_history;
      const bool stuck = history.size() > 1 && history.back() > history[history.size() - 2] / 2;
      if (stuck && cutoff - values_[locked_] < tolerance_) cutoff += (op_.lambda_max() - cutoff) / 8;
    }
    sort();
    timer.bytes = bytes_;
    out.values.assign(values_.begin(), values_.begin() + options_.count);
    out.residuals.assign(residuals_.begin(), residuals_.begin() + options_.count);
    out.report.figures.emplace_back("eigenvalues", out.values);
    out.report.figures.emplace_back("largest_residual",
                                    *std::max_element(out.residuals.begin(), out.residuals.end()));
    out.report.figures.emplace_back("dimension", dimension_);
    out.report.figures.emplace_back("products", products_);
    out.basis = std::move(basis_);
    return out;
  }

 private:
  MatrixView<float> columns(std::int64_t first, std::int64_t used) {
    return {basis_.data() + first, nodes_, used, basis_.cols()};
  }

  // Random columns, but for the known eigenvector of eigenvalue 0.
  void start() {
    fill_random(0, 0);
    if (op_.regularization() > 0) return;
    double squares = 0;
    for (std::int64_t i = 0; i < nodes_; ++i) {
      if (op_.has_edges(i)) squares += static_cast<double>(scale_[i]) * scale_[i];
    }
    for (std::int64_t i = 0; i < nodes_; ++i) {
      basis_(i, 0) = op_.has_edges(i) ? static_cast<float>(scale_[i] / std::sqrt(squares)) : 0.0f;
    }
    locked_ = 1;
  }

  // Gaussian columns first.., another stream for every pass.
  void fill_random(std::int64_t first, int pass) {
    const RandomStream random(options_.seed, "eigenvectors.start", pass);
    const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(nodes_)));
    context_.for_blocks(nodes_, kRowsPerFill, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        if (!op_.has_edges(i)) continue;
        random.fill_normal(basis_.row(i).subspan(first, dimension_ - first),
                           static_cast<std::uint64_t>(i) * basis_.cols(), scale);
      }
    });
  }

  // The number of products that keeps the directions within kGrowth of each other, or that the residuals
  // still need.
  int degree_of(int pass, double cutoff) const {
    const double center = (op_.lambda_max() + cutoff) / 2, half = (op_.lambda_max() - cutoff) / 2;
    // T_m(x) is about exp(m · rate) / 2 below the cut-off.
    const auto rate = [&](double lambda) { return std::acosh(std::max(1 + 1e-9, (center - lambda) / half)); };
    const double lowest = pass == 0 ? 0 : values_[locked_];
    double degree = std::min(std::log(2 * kGrowth) / rate(lowest), std::log(2 * kLockedGrowth) / rate(0));
    if (pass > 0) {
      double needed = 0;
      for (std::int64_t j = locked_; j < options_.count; ++j) {
        const double factor = std::max(1.0, kMargin * residuals_[j] / tolerance_);
        needed = std::max(needed, std::log(2 * factor) / rate(values_[j]));
      }
      degree = std::min(degree, needed);
    }
    return static_cast<int>(std::clamp(std::ceil(degree), 2.0, static_cast<double>(options_.degree)));
  }

  // body(first column, used, T_1 or what the recurrence ended with, its other panel) for the active columns.
  template <class Body>
  void for_each_recurrence(const Operator& op, int degree, std::int64_t end, Body&& body) {
    for_each_panel(end - locked_, [&](std::int64_t first, std::int64_t used, std::int64_t width) {
      const std::int64_t at = locked_ + first;
      MatrixView<float> panel(panel_.data(), nodes_, width), work(work_.data(), nodes_, width);
      context_.for_blocks(nodes_, kRowsPerFill, [&](std::int64_t begin, std::int64_t last) {
        for (std::int64_t i = begin; i < last; ++i) {
          const float inverse = 1 / scale_[i];
          for (std::int64_t c = 0; c < used; ++c) panel(i, c) = inverse * basis_(i, at + c);
          for (std::int64_t c = used; c < width; ++c) panel(i, c) = 0;
        }
      });
      chebyshev_recurrence(op, degree, panel, work, [&](int) { return FusedStep{}; });
      products_ += degree * used;
      bytes_ += degree * op.bytes_per_step(width, false);
      if (degree % 2 == 1) std::swap(panel, work);
      body(at, used, panel, work);
    });
  }

  void filter_active(double cutoff, int degree) {
    const std::unique_ptr<Operator> filtering = op_.above(cutoff);
    for_each_recurrence(
        *filtering, degree, dimension_, [&](std::int64_t at, std::int64_t used, auto result, auto) {
          context_.for_blocks(nodes_, kRowsPerFill, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
              for (std::int64_t c = 0; c < used; ++c) basis_(i, at + c) = scale_[i] * result(i, c);
            }
          });
        });
  }

  // The active columns become Ritz vectors.
  void rotate(int pass) {
    const std::int64_t active = dimension_ - locked_;
    const double half = op_.lambda_max() / 2;
    Matrix<double> inner(dimension_, active), operated(dimension_, active);
    // L = half · (L̃ + I).
    for_each_recurrence(op_, 1, dimension_, [&](std::int64_t at, std::int64_t used, auto product, auto) {
      context_.for_blocks(nodes_, kRowsPerFill, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const float scale = scale_[i];
          for (std::int64_t c = 0; c < used; ++c) product(i, c) *= scale;
        }
      });
      const MatrixView<const float> before = columns(0, at + used);
      const Matrix<double> g = gram(before, columns(at, used), context_);
      const Matrix<double> h =
          gram(before, MatrixView<const float>(product.data, nodes_, used, product.stride), context_);
      for (std::int64_t i = 0; i < at + used; ++i) {
        for (std::int64_t c = 0; c < used; ++c) {
          const std::int64_t j = at - locked_ + c;
          inner(i, j) = g(i, c);
          operated(i, j) = half * (h(i, c) + g(i, c));
          if (i >= locked_ && i < at) {
            inner(locked_ + j, i - locked_) = inner(i, j);
            operated(locked_ + j, i - locked_) = operated(i, j);
          }
        }
      }
    });
    const RitzPairs ritz = rayleigh_ritz(inner, operated, std::span(values_).first(locked_));
    const auto found = static_cast<std::int64_t>(ritz.values.size());
    Matrix<double> factors(dimension_, active);
    for (std::int64_t i = 0; i < dimension_; ++i)
      std::copy_n(ritz.factors.row(i).data(), found, factors.row(i).data());
    multiply_in_place(columns(0, dimension_), factors, context_);
    std::copy(ritz.values.begin(), ritz.values.end(), values_.begin() + locked_);
    // A Ritz vector of norm 1 that is the difference of longer ones has their rounding errors.
    for (std::int64_t j = 0; j < found; ++j) {
      double squares = 0;
      for (std::int64_t i = 0; i < dimension_; ++i) {
        const double square = i < locked_ ? 1 : inner(i, i - locked_);
        squares += square * factors(i, j) * factors(i, j);
      }
      loss_[locked_ + j] = std::sqrt(squares);
    }
    // Directions that were lost start anew.
    std::fill(values_.begin() + locked_ + found, values_.end(), op_.lambda_max());
    if (found < active) fill_random(locked_ + found, pass + 1);
  }

  // Residuals of the wanted columns; those that have converged, up to the first that has not, are locked.
  void lock() {
    const double half = op_.lambda_max() / 2;
    for_each_recurrence(
        op_, 1, options_.count, [&](std::int64_t at, std::int64_t used, auto product, auto signal) {
          const std::int64_t blocks = (nodes_ + kRowsPerFill - 1) / kRowsPerFill;
          Matrix<double> partial(blocks, used);
          context_.for_blocks(nodes_, kRowsPerFill, [&](std::int64_t begin, std::int64_t end) {
            double* sums = partial.row(begin / kRowsPerFill).data();
            for (std::int64_t i = begin; i < end; ++i) {
              const double scale = scale_[i] * half;
              for (std::int64_t c = 0; c < used; ++c) {
                const double difference = scale * (static_cast<double>(product(i, c)) +
                                                   (1 - values_[at + c] / half) * signal(i, c));
                sums[c] += difference * difference;
              }
            }
          });
          for (std::int64_t c = 0; c < used; ++c) {
            double sum = 0;
            for (std::int64_t b = 0; b < blocks; ++b) sum += partial(b, c);
            residuals_[at + c] = std::sqrt(sum);
          }
        });
    while (locked_ < options_.count && residuals_[locked_] <= tolerance_ && loss_[locked_] <= kMostLoss)
      ++locked_;
  }

  double worst_residual() const {
    return *std::max_element(residuals_.begin(), residuals_.begin() + options_.count);
  }

  // The residual falls by about the same factor in every pass.
  void report_progress(const std::vector<double>& history) {
    constexpr int kSteps = 100;
    const double fallen = std::log(history.front() / history.back());
    const double whole = std::log(history.front() / tolerance_);
    const int done = locked_ >= options_.count ? kSteps
                     : whole > 0 && fallen > 0
                         ? std::clamp(static_cast<int>(kSteps * fallen / whole), 0, kSteps - 1)
                         : 0;
    progress_ = std::max(progress_, done);
    context_.progress("eigenvectors", progress_, kSteps);
  }

  // Columns were locked as they converged; eigenvalues closer than their errors may have changed places.
  void sort() {
    const std::int64_t k = options_.count;
    if (std::is_sorted(values_.begin(), values_.begin() + k)) return;
    std::vector<std::int64_t> order(k);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return values_[a] < values_[b]; });
    Matrix<double> permutation(k, k);
    std::vector<double> values(k), residuals(k);
    for (std::int64_t j = 0; j < k; ++j) {
      permutation(order[j], j) = 1;
      values[j] = values_[order[j]];
      residuals[j] = residuals_[order[j]];
    }
    multiply_in_place(columns(0, k), permutation, context_);
    std::copy(values.begin(), values.end(), values_.begin());
    std::copy(residuals.begin(), residuals.end(), residuals_.begin());
  }

  const Operator& op_;
  std::span<const float> scale_;
  const EigenOptions& options_;
  const Context& context_;
  std::int64_t nodes_, connected_, dimension_;
  std::int64_t locked_ = 0;
  std::int64_t products_ = 0, bytes_ = 0;
  int progress_ = 0;
  double tolerance_;
  Matrix<float> basis_, panel_, work_;
  std::vector<double> values_, residuals_, loss_;
};

}  // namespace

std::int64_t subspace_dimension(const EigenOptions& options, std::int64_t nodes) {
  constexpr std::int64_t kFewest = 16;
  if (options.oversampling > 0) return std::min(nodes, options.count + options.oversampling);
  const std::int64_t columns = options.count + std::max(kFewest, options.count / 4);
  return std::min(nodes, (columns + kPanelWidth - 1) / kPanelWidth * kPanelWidth);
}

Eigenvectors smallest_eigenvectors(const graph::Laplacian& laplacian, const EigenOptions& options,
                                   const Context& context) {
  return smallest_eigenvectors(laplacian, options, nullptr, context);
}

Eigenvectors smallest_eigenvectors(const graph::Laplacian& laplacian, const EigenOptions& options,
                                   const SpectralDensity* density, const Context& context) {
  return smallest_eigenvectors(LaplacianOperator(laplacian, context), options, density, context);
}

Eigenvectors smallest_eigenvectors(const Operator& op, const EigenOptions& options,
                                   const SpectralDensity* density, const Context& context) {
  validate_fields(options);
  return FilteredSubspace(op, options, context).run(density);
}

}  // namespace parsimony::spectral
