// The rows of a graph that one process holds.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/halo.hpp"
#include "distributed/partition.hpp"
#include "graph/assemble.hpp"
#include "graph/ranked_bits.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"

namespace parsimony::distributed {

/// A graph whose rows are shared out. Columns are local: below own() the rows of this process, from there on
/// its ghosts. The entries of a row are in the order of the global columns, so that sums over them are those
/// of one process.
struct GraphRows {
  const Communicator& communicator;
  Partition partition;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> columns;
  std::vector<float> values;  ///< empty in all processes or in none
  bool weighted = false;
  std::vector<std::int32_t> ghosts;  ///< global rows, ascending
  HaloKind halo_kind;
  std::unique_ptr<Halo> halo;

  std::int64_t own() const { return partition.own(); }
  std::int64_t all() const { return partition.all(); }
  std::int64_t local() const { return own() + std::ssize(ghosts); }
  std::int64_t entries() const { return communicator.sum_of(offsets.back()); }
  /// The rows with local columns.
  CsrView matrix() const { return {offsets, columns, values}; }
  bool has_edges(std::int64_t row) const { return offsets[row] < offsets[row + 1]; }
  std::int32_t global(std::int32_t column) const {
    return column < own() ? static_cast<std::int32_t>(partition.begin()) + column : ghosts[column - own()];
  }
};

/// Weighted degree of each own row, as graph::degrees().
std::vector<double> degrees(const GraphRows& rows);

/// Makes the rows from those of this process with global columns. values: one for each column, or none. A
/// process of whose rows this one reads most sends all of them, so that they travel without being packed:
/// then some ghosts are read by no row. O(E / processes + N / 64) time, and N / 5 bytes besides the rows.
GraphRows make_rows(const Communicator& communicator, Partition partition, std::vector<std::int64_t> offsets,
                    std::vector<std::int32_t> columns, std::vector<float> values, HaloKind halo);

/// Adds to the rows that are read all rows of each other process of which at least 7 of 8 are.
void read_whole_parts(graph::RankedBits& read, const Partition& partition);

/// Figures of what the entries of a file become.
struct AssemblyCounts {
  std::int64_t self_loops_dropped = 0, duplicates_merged = 0, zeros_dropped = 0;
};

using NamesOfNodes = std::function<std::vector<std::string>(std::span<const std::int32_t> nodes)>;

/// graph::assemble() over the processes: entries of this process's part of a file, in any order and by global
/// nodes, go to the processes that hold their rows, which merge them and check their symmetry. names(nodes)
/// gives the ids of nodes, for messages; all processes call it, and only after a fault. Throws as
/// graph::assemble() does, in all processes alike. O(E log degree / processes) time.
GraphRows assemble_rows(const Communicator& communicator, std::int64_t nodes,
                        std::vector<graph::EntryBlock> blocks, const graph::AssembleOptions& options,
                        const NamesOfNodes& names, const graph::MemoryBudget& budget, HaloKind halo,
                        AssemblyCounts& counts, const Context& context);

/// The graph of the marked rows alone, in their order, shared out evenly.
GraphRows marked_rows(const GraphRows& rows, std::span<const float> marks);

}  // namespace parsimony::distributed
