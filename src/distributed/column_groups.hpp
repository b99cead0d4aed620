// Groups of processes, each with the whole graph and a part of the signals, and the choice of their number.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/operator.hpp"
#include "distributed/rows.hpp"
#include "parsimony/spectral/operator.hpp"

namespace parsimony::distributed {

/// The groups of a graph whose rows are shared out over all processes: process q is in group q % groups, and
/// has there the rows of the processes q / groups · groups and the groups − 1 behind it. The entries of these
/// rows travel once, when this is made. Collective.
class ColumnGroups : public spectral::SignalGroups {
 public:
  /// groups: divides the number of processes.
  ColumnGroups(const GraphRows& rows, int groups, graph::LaplacianKind kind, double regularization,
               const Context& context);

  int count() const override { return groups_; }
  int own() const override { return beside_.communicator().rank(); }
  const spectral::Operator& in_group() const override { return operator_; }
  Matrix<float> join(Matrix<float> own, std::int64_t signals) const override;

  /// Those of this process in all steps.
  std::int64_t bytes_received() const { return operator_.bytes_received(); }
  std::int64_t ghosts() const { return std::ssize(rows_.ghosts); }

 private:
  const GraphRows& all_;
  int groups_;
  PartOfProcesses group_, beside_;  // those of this group; those with the same rows in the other groups
  GraphRows rows_;
  LaplacianRows laplacian_;
  DistributedOperator operator_;
};

/// The steps of a run, for the model.
struct StepCounts {
  std::int64_t density_order = 0;  ///< products on the 16 signals of the density
  std::int64_t filter_order = 0;   ///< products on each feature
  std::int64_t features = 0;
};

/// The prediction of the model for a number of groups.
struct GroupedCost {
  int groups = 1;
  double seconds = 0;      ///< steps of one process
  std::int64_t bytes = 0;  ///< in this process, beside those of one group
};

/// The costs of 1 group, and of each larger number that divides the processes and leaves no group without 16
/// signals. Bytes in memory go at 100 GB/s for each machine, and those from other machines at 12.5 GB/s, as
/// in bench/distributed/model.py; only the ratio of the two counts. O(N / 64 + ghosts) time for each.
/// Collective.
std::vector<GroupedCost> costs_of_groups(const GraphRows& rows, const StepCounts& steps);

/// Bytes that groups may take in this process: those left by its limit, or without one its share of half of
/// the machine's memory. Collective.
std::int64_t memory_for_groups(const Communicator& all, const Context& context);

}  // namespace parsimony::distributed
