// SciPy's save_npz archives: csr, csc and coo matrices.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/files/npz.hpp"
#include "graph/file/formats.hpp"

namespace parsimony::graph {
namespace {

constexpr std::int64_t kEntriesPerBlock = 1 << 16;

// The row of every entry; for csc, of the transposed matrix.
std::vector<std::int64_t> expand(const NpzArchive& archive, const std::vector<std::int64_t>& starts,
                                 std::int64_t nodes, std::int64_t entries) {
  if (static_cast<std::int64_t>(starts.size()) != nodes + 1 || starts.front() != 0 ||
      starts.back() != entries) {
    archive.fail(fmt::format("array 'indptr' must go from 0 to {} in {} values", entries, nodes + 1));
  }
  std::vector<std::int64_t> rows(entries);
  for (std::int64_t row = 0; row < nodes; ++row) {
    if (starts[row + 1] < starts[row] || starts[row + 1] > entries) {
      archive.fail(fmt::format("array 'indptr': item {} is {}, after {}; it must not fall and end at {}",
                               row + 1, starts[row + 1], starts[row], entries));
    }
    std::fill(rows.begin() + starts[row], rows.begin() + starts[row + 1], row);
  }
  return rows;
}

}  // namespace

GraphFile parse_npz(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                    const Context& context) {
  NpzArchive archive(std::move(bytes), budget.file, budget.limit, "is it a matrix by scipy.sparse.save_npz?");
  const std::string format = npy_text(archive.array("format"));
  if (format != "csr" && format != "csc" && format != "coo") {
    archive.fail(fmt::format("sparse format {}; csr, csc and coo are supported", in_quotes(format)),
                 ErrorCode::unsupported);
  }
  const std::vector<std::int64_t> shape = archive.integers("shape");
  if (shape.size() != 2 || shape[0] != shape[1])
    archive.fail("the matrix of a graph is square, with two dimensions");
  const std::int64_t nodes = shape[0];
  if (nodes < 1 || nodes > std::numeric_limits<std::int32_t>::max()) {
    archive.fail(fmt::format("{} nodes; must be 1 to 2147483647", nodes));
  }
  const std::vector<std::int64_t> columns = archive.integers(format == "coo" ? "col" : "indices");
  const auto entries = static_cast<std::int64_t>(columns.size());
  std::vector<std::int64_t> rows;
  if (format == "coo") {
    rows = archive.integers("row");
    if (nodes > (std::int64_t{1} << 27) + 64 * entries) {
      archive.fail(fmt::format("{} nodes but {} entries", nodes, entries));
    }
  } else {
    rows = expand(archive, archive.integers("indptr"), nodes, entries);
  }
  const NpyArray data = archive.array("data");
  if (data.shape.size() != 1 || data.size() != entries || static_cast<std::int64_t>(rows.size()) != entries) {
    archive.fail(fmt::format("{} indices but {} values and {} rows", entries, data.size(), rows.size()));
  }
  const bool weighted = data.kind != 'b';
  const std::int64_t held = archive.held() + 8 * entries + (weighted ? 8 * entries : 0);
  budget.require(held + 12 * entries);
  const std::vector<double> values = npy_items<double>(data);

  std::vector<EntryBlock> blocks((entries + kEntriesPerBlock - 1) / kEntriesPerBlock);
  context.for_blocks(entries, kEntriesPerBlock, [&](std::int64_t begin, std::int64_t end) {
    EntryBlock& block = blocks[begin / kEntriesPerBlock];
    for (std::int64_t e = begin; e < end; ++e) {
      float weight = 1;
      if (rows[e] < 0 || rows[e] >= nodes || columns[e] < 0 || columns[e] >= nodes) {
        archive.fail(
            fmt::format("entry {} is at ({}, {}), outside of the {} nodes", e, rows[e], columns[e], nodes));
      }
      if (weighted && !to_weight(values[e], weight)) {
        archive.fail(fmt::format("entry {} at ({}, {}) is {}; weights are at least 0 and finite in float32",
                                 e, rows[e], columns[e], values[e]));
      }
      if (!weighted && values[e] == 0) continue;
      block.nodes.push_back({static_cast<std::int32_t>(rows[e]), static_cast<std::int32_t>(columns[e])});
      if (weighted) block.weights.push_back(weight);
    }
  });
  return assemble_file(std::move(blocks), NodeIds::consecutive(nodes, 0),
                       {EntryMeaning::matrix, weighted, options.symmetrize}, budget, held, context);
}

}  // namespace parsimony::graph
