// Dense matrices of similarities in .npy arrays.
#include <fmt/format.h>

#include <limits>

#include "core/files/npy_format.hpp"
#include "graph/file/formats.hpp"

namespace parsimony::graph {

// The diagonal, how similar a node is to itself, says nothing about clusters. It is passed over as the zeros
// are.
GraphFile parse_affinity(std::string_view bytes, const ReadOptions& options, const MemoryBudget& budget,
                         const Context& context) {
  const auto fail = [&](const std::string& message) {
    throw Error(ErrorCode::format, fmt::format("{}: {}", budget.file, message));
  };
  const NpyArray array = parse_npy(bytes, budget.file);
  if (array.shape.size() != 2 || array.shape[0] != array.shape[1] || array.shape[0] < 1 ||
      array.shape[0] > std::numeric_limits<std::int32_t>::max()) {
    fail(fmt::format("an array of shape ({}); a matrix of similarities is square",
                     fmt::join(array.shape, ", ")));
  }
  const std::int64_t nodes = array.shape[0];
  budget.require(8 * nodes * nodes);
  const std::vector<double> values = npy_items<double>(array);
  std::int64_t edges = 0;
  for (const double value : values) edges += value != 0;
  budget.require(12 * edges);

  constexpr std::int64_t kRowsPerBlock = 64;
  std::vector<EntryBlock> blocks((nodes + kRowsPerBlock - 1) / kRowsPerBlock);
  context.for_blocks(nodes, kRowsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    EntryBlock& block = blocks[begin / kRowsPerBlock];
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t column = 0; column < nodes; ++column) {
        const double value = values[row * nodes + column];
        float weight = 0;
        if (row == column || value == 0) continue;
        if (!to_weight(value, weight)) {
          fail(fmt::format("the value at ({}, {}) is {}; similarities are at least 0 and finite in float32",
                           row, column, value));
        }
        block.nodes.push_back({static_cast<std::int32_t>(row), static_cast<std::int32_t>(column)});
        block.weights.push_back(weight);
      }
    }
  });
  return assemble_file(std::move(blocks), NodeIds::consecutive(nodes, 0),
                       assembling(EntryMeaning::matrix, true, options), budget, context);
}

}  // namespace parsimony::graph
