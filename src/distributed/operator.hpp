// The normalised or combinatorial Laplacian of a graph that is shared out over processes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "distributed/rows.hpp"
#include "parsimony/spectral/operator.hpp"

namespace parsimony::distributed {

/// The Laplacian of the rows of this process, as graph::make_laplacian() makes it; the bound of the spectrum
/// is one over all processes. Collective.
struct LaplacianRows {
  LaplacianRows(const GraphRows& rows, graph::LaplacianKind kind, double regularization);

  const GraphRows& rows;
  double regularization = 0;
  double lambda_max = 2;
  std::vector<float> off_diagonal, diagonal, scale;
};

/// graph::automatic_regularization() over the processes.
double automatic_regularization(const GraphRows& rows);

/// A step exchanges the ghost rows of one panel while the rows without ghosts are computed. Its sums are
/// those of blocks of spectral::kRowsPerSum rows, added in the order of the blocks, whoever has them.
class DistributedOperator : public spectral::Operator {
 public:
  /// groups: borrowed; nullptr where all processes filter all signals.
  DistributedOperator(const LaplacianRows& laplacian, const Context& context, double lambda_min = 0,
                      const spectral::SignalGroups* groups = nullptr);
  DistributedOperator(const LaplacianRows&, const Context&&, double = 0) = delete;  // both are borrowed

  std::int64_t rows() const override { return rows_.own(); }
  std::int64_t all_rows() const override { return rows_.all(); }
  std::int64_t first_row() const override { return rows_.partition.begin(); }
  double lambda_max() const override { return laplacian_.lambda_max; }
  double regularization() const override { return laplacian_.regularization; }
  std::span<const float> scale() const override { return laplacian_.scale; }
  bool has_edges(std::int64_t row) const override { return rows_.has_edges(row); }
  const Processes& processes() const override { return rows_.communicator; }
  const spectral::SignalGroups* signal_groups() const override { return groups_; }
  Matrix<float> panel(std::int64_t width) const override { return {rows_.local(), width}; }
  void apply(const spectral::FusedStep& step) const override;
  std::unique_ptr<Operator> above(double lambda_min) const override;
  std::int64_t bytes_per_step(std::int64_t width, bool accumulates) const override;

  /// Bytes that this process has received from others in all steps.
  std::int64_t bytes_received() const { return bytes_received_; }

 private:
  void find_blocks_without_ghosts();

  const LaplacianRows& laplacian_;
  const GraphRows& rows_;
  const Context& context_;
  spectral::StepFactors factors_;
  const spectral::SignalGroups* groups_;
  std::vector<std::int64_t> inner_, outer_;  // blocks of rows without and with ghosts
  mutable std::int64_t bytes_received_ = 0;
};

}  // namespace parsimony::distributed
