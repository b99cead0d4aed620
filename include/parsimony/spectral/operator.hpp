// The operator on which the Chebyshev recurrence runs, and with it density, features, eigenvectors and
// interpolation. LaplacianOperator is the one in shared memory; others may live on several machines.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/processes.hpp"
#include "parsimony/graph/laplacian.hpp"

namespace parsimony::spectral {

/// Rows whose sums of squares and products are added first; a process holds whole blocks of them, except for
/// the last rows, so that the sums are the same for any number of processes.
inline constexpr std::int64_t kRowsPerSum = 1024;

/// One fused step for all rows and the columns of a panel computes
///   next = 2 L̃ current − previous, stored in place of previous (next = L̃ current when first);
///   accumulator += coefficient · next, if it is not null;
///   squares[c] = ⟨next_c, next_c⟩ and products[c] = ⟨next_c, current_c⟩, if they are not empty (both or
///   neither), over the rows of all processes.
/// Both panels are from Operator::panel(). The operator may fill in rows of `current` beyond its own.
struct FusedStep {
  MatrixView<float> current;
  MatrixView<float> previous;
  bool first = false;
  MatrixView<float>* accumulator = nullptr;
  double coefficient = 0;
  std::span<double> squares;
  std::span<double> products;
};

class SignalGroups;

/// A symmetric operator with spectrum in [0, lambda_max], in a similarity-scaled form: a signal x of the
/// operator is the panel row_scale⁻¹ x (see graph::Laplacian). A process holds the rows
/// first_row()..first_row()
/// + rows() − 1 of all_rows(); random signals are functions of the position among all rows, so that results
/// do not depend on the number of processes.
class Operator {
 public:
  Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;
  virtual ~Operator() = default;

  virtual std::int64_t rows() const = 0;
  virtual std::int64_t all_rows() const = 0;
  virtual std::int64_t first_row() const = 0;
  virtual double lambda_max() const = 0;
  virtual double regularization() const = 0;           ///< τ of the Laplacian
  virtual std::span<const float> scale() const = 0;    ///< one for each of rows()
  virtual bool has_edges(std::int64_t row) const = 0;  ///< row: from 0 to rows() − 1
  virtual const Processes& processes() const { return one_process(); }
  /// Groups of processes that filter different signals; nullptr: all processes filter all of them.
  virtual const SignalGroups* signal_groups() const { return nullptr; }

  /// A panel of zeros for apply(): rows() rows, and behind them those that the operator needs for itself.
  virtual Matrix<float> panel(std::int64_t width) const { return {rows(), width}; }
  virtual void apply(const FusedStep& step) const = 0;
  /// The same operator with [lambda_min, lambda_max] mapped to [−1, 1]: T_m stays within ±1 there, and grows
  /// faster the farther an eigenvalue lies below lambda_min. It borrows this one.
  virtual std::unique_ptr<Operator> above(double lambda_min) const = 0;
  /// Bytes that one step moves between memory and core if every gathered row of the panel misses the caches.
  virtual std::int64_t bytes_per_step(std::int64_t width, bool accumulates) const = 0;
};

/// A range of columns.
struct SignalRange {
  std::int64_t first = 0, count = 0;
};

/// The processes of an operator in groups of equal size. Each group has all rows of the operator among its
/// processes and filters a part of the signals, so that fewer rows travel: see docs/machines.md.
class SignalGroups {
 public:
  SignalGroups() = default;
  SignalGroups(const SignalGroups&) = delete;
  SignalGroups& operator=(const SignalGroups&) = delete;
  virtual ~SignalGroups() = default;

  virtual int count() const = 0;
  virtual int own() const = 0;  ///< the group of this process
  /// The same operator over the processes of this group.
  virtual const Operator& in_group() const = 0;
  /// own: the columns signals_of_group() of `signals`, for the rows of in_group(). Returns all columns for
  /// the rows of the operator whose groups these are. Collective over all processes.
  virtual Matrix<float> join(Matrix<float> own, std::int64_t signals) const = 0;
};

/// The columns of `signals` that a group filters: whole cache lines of 16, in the order of the groups; none
/// if there are fewer lines than groups.
SignalRange signals_of_group(int group, int groups, std::int64_t signals);

/// Number of rows with edges, over all processes.
std::int64_t rows_with_edges(const Operator& op);

/// The factors of 2 L̃ for a range of rows, as kernels/chebyshev_step.hpp takes them.
struct StepFactors {
  std::vector<float> neighbor, own;  ///< own is empty if it would be 0 in every row
  std::vector<float> weight;         ///< the squared scale, for inner products

  /// off_diagonal, diagonal, scale: as in graph::Laplacian, for the rows.
  StepFactors(std::span<const float> off_diagonal, std::span<const float> diagonal,
              std::span<const float> scale, double lambda_max, double lambda_min);
};

/// The Laplacian of a graph in shared memory; with lambda_min > 0, as above(lambda_min) is.
class LaplacianOperator : public Operator {
 public:
  LaplacianOperator(const graph::Laplacian& laplacian, const Context& context, double lambda_min = 0);
  LaplacianOperator(const graph::Laplacian&, const Context&&, double = 0) = delete;  // both are borrowed

  std::int64_t rows() const override { return laplacian_.nodes(); }
  std::int64_t all_rows() const override { return laplacian_.nodes(); }
  std::int64_t first_row() const override { return 0; }
  double lambda_max() const override { return laplacian_.lambda_max; }
  double regularization() const override { return laplacian_.regularization; }
  std::span<const float> scale() const override { return laplacian_.scale; }
  bool has_edges(std::int64_t row) const override {
    return laplacian_.adjacency.offsets[row] < laplacian_.adjacency.offsets[row + 1];
  }
  void apply(const FusedStep& step) const override;
  std::unique_ptr<Operator> above(double lambda_min) const override;
  std::int64_t bytes_per_step(std::int64_t width, bool accumulates) const override;

 private:
  const graph::Laplacian& laplacian_;
  const Context& context_;
  StepFactors factors_;
};

/// The recurrence from T_0 = panel to T_order. make_step(j) returns the step that yields T_j, with the
/// accumulator, coefficient, squares and products that it computes besides. Both panels are overwritten.
template <class MakeStep>
void chebyshev_recurrence(const Operator& op, int order, MatrixView<float> panel, MatrixView<float> work,
                          MakeStep make_step) {
  for (int j = 1; j <= order; ++j) {
    FusedStep step = make_step(j);
    step.current = panel;
    step.previous = work;
    step.first = j == 1;
    op.apply(step);
    std::swap(panel, work);
  }
}

}  // namespace parsimony::spectral
