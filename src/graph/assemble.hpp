// From the entries of a file to a graph: symmetric, sorted, merged, without loops.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/graph/file.hpp"

namespace parsimony::graph {

/// Throws memory_limit when a stage of a reader would use more bytes than the caller allows.
struct MemoryBudget {
  std::string file;
  std::int64_t limit = 0;  ///< 0: none

  void require(std::int64_t bytes) const;
};

/// Some of a file's entries, in any order: the result depends on the entries alone.
struct EntryBlock {
  std::vector<std::array<std::int32_t, 2>> nodes;
  std::vector<float> weights;  ///< one an entry, at least 0 and finite, or none where the file has no weights
};

enum class EntryMeaning {
  edge_list,  ///< an entry is an edge; both directions may be listed, with equal weights
  triangle,   ///< an entry is an edge, in whichever order its nodes are
  matrix      ///< an entry is one of W, whose mirror must be listed too
};

struct AssembleOptions {
  EntryMeaning meaning = EntryMeaning::edge_list;
  bool weighted = false;    ///< equal entries add up; else they are one, and the blocks have no weights
  bool symmetrize = false;  ///< take the mean of the directions where they differ
};

/// Consumes the blocks. ids has the names of all nodes; held is what else the reader holds, in bytes.
GraphFile assemble(std::vector<EntryBlock>&& blocks, NodeIds ids, const AssembleOptions& options,
                   const MemoryBudget& budget, std::int64_t held, const Context& context);

}  // namespace parsimony::graph
