#include "distributed/rows.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "core/together.hpp"
#include "graph/ranked_bits.hpp"

namespace parsimony::distributed {
namespace {

// Ghosts are all rows of a process if at least 7 of 8 of them are: rows in sequence need no packing.
constexpr std::int64_t kMostOf = 8;

// The entries that have a node among the rows of this process: a block from each process. Weights are in all
// blocks of all processes or in none.
std::vector<graph::EntryBlock> entries_of_rows(const Communicator& communicator, const Partition& partition,
                                               std::vector<graph::EntryBlock> blocks,
                                               const Context& context) {
  const int count = communicator.count();
  const bool weighted = communicator.any(
      std::ranges::any_of(blocks, [](const graph::EntryBlock& block) { return !block.weights.empty(); }));
  // For each block and process, where its entries go.
  const std::int64_t own_blocks = std::ssize(blocks);
  std::vector<std::int64_t> place(own_blocks * count);
  const auto for_targets = [&](const std::array<std::int32_t, 2>& nodes, const auto& body) {
    const int first = partition.owner(nodes[0]), second = partition.owner(nodes[1]);
    body(first);
    if (second != first) body(second);
  };
  context.for_blocks(own_blocks, 1, [&](std::int64_t b, std::int64_t) {
    for (const auto& nodes : blocks[b].nodes) for_targets(nodes, [&](int p) { ++place[b * count + p]; });
  });
  std::vector<std::vector<std::array<std::int32_t, 2>>> nodes(count);
  std::vector<std::vector<float>> weights(count);
  for (int p = 0; p < count; ++p) {
    std::int64_t total = 0;
    for (std::int64_t b = 0; b < own_blocks; ++b) {
      total += std::exchange(place[b * count + p], total);
    }
    nodes[p].resize(total);
    if (weighted) weights[p].resize(total);
  }
  context.for_blocks(own_blocks, 1, [&](std::int64_t b, std::int64_t) {
    const graph::EntryBlock block = std::move(blocks[b]);
    for (std::size_t e = 0; e < block.nodes.size(); ++e) {
      for_targets(block.nodes[e], [&](int p) {
        const std::int64_t at = place[b * count + p]++;
        nodes[p][at] = block.nodes[e];
        if (weighted) weights[p][at] = block.weights.empty() ? 1.0f : block.weights[e];
      });
    }
  });
  nodes = communicator.exchange(std::move(nodes));
  if (weighted) weights = communicator.exchange(std::move(weights));
  std::vector<graph::EntryBlock> out(count);
  for (int p = 0; p < count; ++p) out[p] = {.nodes = std::move(nodes[p]), .weights = std::move(weights[p])};
  return out;
}

// Throws the fault of the first process that has one, in all.
void refuse_faults(const Communicator& communicator, const std::optional<graph::EntryFault>& fault,
                   const NamesOfNodes& names, const graph::MemoryBudget& budget,
                   const graph::AssembleOptions& options) {
  const auto mine = std::span<const graph::EntryFault>(fault ? &*fault : nullptr, fault ? 1 : 0);
  const std::vector<graph::EntryFault> faults = communicator.gather(mine);
  if (faults.empty()) return;
  const graph::EntryFault& first = faults.front();
  const auto [low, high] = std::minmax(first.row, first.neighbor);
  const std::vector<std::int32_t> nodes{low, high};
  std::vector<std::string> words = names(nodes);
  if (first.row == high) std::swap(words[0], words[1]);
  throw Error(options.fault, first.message(budget.file, words[0], words[1], options.doubt));
}

}  // namespace

std::vector<double> degrees(const GraphRows& rows) {
  std::vector<double> out(rows.own());
  for (std::int64_t i = 0; i < rows.own(); ++i) {
    const auto begin = rows.offsets[i], end = rows.offsets[i + 1];
    out[i] = rows.weighted ? std::accumulate(rows.values.begin() + begin, rows.values.begin() + end, 0.0)
                           : static_cast<double>(end - begin);
  }
  return out;
}

void read_whole_parts(graph::RankedBits& read, const Partition& partition) {
  const std::vector<std::int64_t>& begins = partition.begins;
  read.count();
  for (int p = 0; p + 1 < std::ssize(begins); ++p) {
    const std::int64_t rows = begins[p + 1] - begins[p];
    if (p == partition.rank || rows == 0) continue;
    const std::int64_t last = begins[p + 1] - 1;
    const std::int64_t wanted = read.rank(last) + read.has(last) - read.rank(begins[p]);
    if (wanted * kMostOf < rows * (kMostOf - 1)) continue;
    for (std::int64_t row = begins[p]; row <= last; ++row) read.insert(row);
  }
}

GraphRows make_rows(const Communicator& communicator, Partition partition, std::vector<std::int64_t> offsets,
                    std::vector<std::int32_t> columns, std::vector<float> values, HaloKind halo) {
  GraphRows out{.communicator = communicator,
                .partition = std::move(partition),
                .offsets = std::move(offsets),
                .columns = std::move(columns),
                .values = std::move(values),
                .weighted = false,
                .ghosts = {},
                .halo_kind = halo,
                .halo = nullptr};
  out.weighted = communicator.any(!out.values.empty());
  if (out.weighted) out.values.resize(out.columns.size(), 1);
  graph::RankedBits read(out.all());
  for (const std::int32_t column : out.columns) {
    if (!out.partition.holds(column)) read.insert(column);
  }
  read_whole_parts(read, out.partition);
  out.ghosts.reserve(read.count());
  read.for_each([&](std::uint64_t row) { out.ghosts.push_back(static_cast<std::int32_t>(row)); });
  for (std::int32_t& column : out.columns) {
    const bool own = out.partition.holds(column);
    column = static_cast<std::int32_t>(own ? column - out.partition.begin() : out.own() + read.rank(column));
  }
  out.halo = make_halo(halo, out.partition, out.ghosts, communicator);
  return out;
}

GraphRows assemble_rows(const Communicator& communicator, std::int64_t nodes,
                        std::vector<graph::EntryBlock> blocks, const graph::AssembleOptions& options,
                        const NamesOfNodes& names, const graph::MemoryBudget& budget, HaloKind halo,
                        AssemblyCounts& counts, const Context& context) {
  Partition partition = Partition::even(nodes, communicator.rank(), communicator.count());
  std::int64_t sums[3] = {};  // self loops, zeros, other entries
  std::int64_t entries = 0;
  for (const graph::EntryBlock& block : blocks) {
    entries += std::ssize(block.nodes);
    for (std::size_t e = 0; e < block.nodes.size(); ++e) {
      const bool loop = block.nodes[e][0] == block.nodes[e][1];
      const bool zero = !block.weights.empty() && block.weights[e] == 0;
      ++sums[loop ? 0 : zero ? 1 : 2];
    }
  }
  communicator.sum(std::span<std::int64_t>(sums));
  // An entry goes to two processes, and comes from as many.
  together(communicator, [&] { budget.require(32 * entries + 16 * partition.own()); });
  blocks = entries_of_rows(communicator, partition, std::move(blocks), context);
  Csr part;
  std::optional<graph::EntryFault> fault;
  together(communicator, [&] {
    try {
      part = graph::assemble_part(std::move(blocks), partition.begin(), partition.end(), options, budget,
                                  context);
    } catch (const graph::EntryFault& found) {
      fault = found;
    }
  });
  refuse_faults(communicator, fault, names, budget, options);
  if (!options.doubt.empty() && communicator.rank() == 0) {
    context.log(LogLevel::warning, budget.file + ": " + options.doubt);
  }
  GraphRows out = make_rows(communicator, std::move(partition), std::move(part.offsets),
                            std::move(part.columns), std::move(part.values), halo);
  const std::int64_t stored = out.entries();
  counts = {
      .self_loops_dropped = sums[0],
      .duplicates_merged = sums[2] - (options.meaning == graph::EntryMeaning::matrix ? stored : stored / 2),
      .zeros_dropped = sums[1]};
  return out;
}

GraphRows marked_rows(const GraphRows& rows, std::span<const float> marks) {
  const Communicator& communicator = rows.communicator;
  std::vector<std::int32_t> number(rows.local(), -1);
  const std::int64_t own = std::count_if(marks.begin(), marks.end(), [](float mark) { return mark > 0; });
  auto next = static_cast<std::int32_t>(communicator.before(own));
  for (std::int64_t i = 0; i < rows.own(); ++i) {
    if (marks[i] > 0) number[i] = next++;
  }
  rows.halo->copy(number.data());
  Partition partition = Partition::even(communicator.sum_of(own), communicator.rank(), communicator.count());
  // Rows keep their order, so that those from the processes in turn are all rows in turn.
  std::vector<std::vector<std::int64_t>> lengths(communicator.count());
  std::vector<std::vector<std::int32_t>> columns(communicator.count());
  std::vector<std::vector<float>> values(communicator.count());
  for (std::int64_t i = 0; i < rows.own(); ++i) {
    if (number[i] < 0) continue;
    const int owner = partition.owner(number[i]);
    lengths[owner].push_back(rows.offsets[i + 1] - rows.offsets[i]);
    for (std::int64_t e = rows.offsets[i]; e < rows.offsets[i + 1]; ++e) {
      columns[owner].push_back(number[rows.columns[e]]);
      if (rows.weighted) values[owner].push_back(rows.values[e]);
    }
  }
  const auto joined = [&]<class T>(std::vector<std::vector<T>> parts) {
    std::vector<T> out;
    for (const std::vector<T>& part : communicator.exchange(std::move(parts))) {
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  };
  std::vector<std::int64_t> offsets = joined(std::move(lengths));
  offsets.insert(offsets.begin(), 0);
  std::inclusive_scan(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<std::int32_t> all_columns = joined(std::move(columns));
  return make_rows(communicator, std::move(partition), std::move(offsets), std::move(all_columns),
                   joined(std::move(values)), rows.halo_kind);
}

}  // namespace parsimony::distributed
