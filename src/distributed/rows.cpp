#include "distributed/rows.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "distributed/together.hpp"

namespace parsimony::distributed {
namespace {

struct Entry {
  std::int32_t from;
  std::int32_t to;
  float weight;
};

// The entries of the rows of this process, and of their mirrors.
std::vector<Entry> entries_of_rows(const Communicator& communicator, const Partition& partition,
                                   graph::EntryBlock block) {
  std::vector<std::vector<Entry>> send(communicator.count());
  for (std::size_t e = 0; e < block.nodes.size(); ++e) {
    const auto [from, to] = block.nodes[e];
    const Entry entry{from, to, block.weights.empty() ? 1.0f : block.weights[e]};
    const int first = partition.owner(from), second = partition.owner(to);
    send[first].push_back(entry);
    if (second != first) send[second].push_back(entry);
  }
  block = {};
  std::vector<Entry> out;
  for (std::vector<Entry>& part : communicator.exchange(std::move(send))) {
    out.insert(out.end(), part.begin(), part.end());
    part = {};
  }
  return out;
}

// The nodes of some rows and their neighbours, ascending: local numbers in this order sort as global ones do.
class LocalNodes {
 public:
  LocalNodes(const Partition& partition, const std::vector<Entry>& entries) : partition_(partition) {
    for (const Entry& entry : entries) {
      for (const std::int32_t node : {entry.from, entry.to}) {
        if (!partition.holds(node)) others_.push_back(node);
      }
    }
    std::sort(others_.begin(), others_.end());
    others_.erase(std::unique(others_.begin(), others_.end()), others_.end());
    below_ = std::lower_bound(others_.begin(), others_.end(), partition.begin()) - others_.begin();
  }

  std::int64_t size() const { return partition_.own() + std::ssize(others_); }
  std::int64_t first_own() const { return below_; }

  std::int32_t local(std::int32_t node) const {
    if (partition_.holds(node)) return static_cast<std::int32_t>(below_ + node - partition_.begin());
    const auto at = std::lower_bound(others_.begin(), others_.end(), node) - others_.begin();
    return static_cast<std::int32_t>(at < below_ ? at : at + partition_.own());
  }
  std::int32_t global(std::int64_t local) const {
    if (local < below_) return others_[local];
    if (local < below_ + partition_.own())
      return static_cast<std::int32_t>(partition_.begin() + local - below_);
    return others_[local - partition_.own()];
  }
  std::vector<std::int32_t> all() const {
    std::vector<std::int32_t> out(size());
    for (std::int64_t i = 0; i < size(); ++i) out[i] = global(i);
    return out;
  }

 private:
  const Partition& partition_;
  std::vector<std::int32_t> others_;  // nodes of other processes
  std::int64_t below_ = 0;            // those before the own ones
};

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
  for (const std::int32_t column : out.columns) {
    if (!out.partition.holds(column)) out.ghosts.push_back(column);
  }
  std::sort(out.ghosts.begin(), out.ghosts.end());
  out.ghosts.erase(std::unique(out.ghosts.begin(), out.ghosts.end()), out.ghosts.end());
  out.ghosts.shrink_to_fit();
  for (std::int32_t& column : out.columns) {
    const bool own = out.partition.holds(column);
    const auto ghost = std::lower_bound(out.ghosts.begin(), out.ghosts.end(), column) - out.ghosts.begin();
    column = static_cast<std::int32_t>(own ? column - out.partition.begin() : out.own() + ghost);
  }
  out.halo = make_halo(halo, out.partition, out.ghosts, communicator);
  return out;
}

GraphRows assemble_rows(const Communicator& communicator, std::int64_t nodes, graph::EntryBlock entries,
                        const graph::AssembleOptions& options, const NamesOfNodes& names,
                        const graph::MemoryBudget& budget, HaloKind halo, AssemblyCounts& counts,
                        const Context& context) {
  Partition partition = Partition::even(nodes, communicator.rank(), communicator.count());
  std::int64_t sums[3] = {};  // self loops, zeros, other entries
  for (std::size_t e = 0; e < entries.nodes.size(); ++e) {
    const bool loop = entries.nodes[e][0] == entries.nodes[e][1];
    const bool zero = !entries.weights.empty() && entries.weights[e] == 0;
    ++sums[loop ? 0 : zero ? 1 : 2];
  }
  communicator.sum(std::span<std::int64_t>(sums));
  std::vector<Entry> received;
  together(communicator, [&] { budget.require(24 * std::ssize(entries.nodes) + 16 * partition.own()); });
  received = entries_of_rows(communicator, partition, std::move(entries));
  const LocalNodes local(partition, received);
  const graph::NodeIds ids = graph::NodeIds::numbers(names(local.all()));
  Csr adjacency;
  together(communicator, [&] {
    std::vector<graph::EntryBlock> blocks(1);
    for (const Entry& entry : received) {
      blocks[0].nodes.push_back({local.local(entry.from), local.local(entry.to)});
      if (options.weighted || entry.weight != 1) blocks[0].weights.push_back(entry.weight);
    }
    adjacency = graph::assemble(std::move(blocks), ids, options, budget, context).graph.adjacency;
  });
  received = {};
  // The rows of the neighbours have only their entries with own rows, and end here.
  const std::int64_t first = local.first_own(), last = first + partition.own();
  const std::int64_t begin = adjacency.offsets[first], end = adjacency.offsets[last];
  std::vector<std::int64_t> offsets(adjacency.offsets.begin() + first, adjacency.offsets.begin() + last + 1);
  for (std::int64_t& offset : offsets) offset -= begin;
  std::vector<std::int32_t> columns(end - begin);
  for (std::int64_t e = begin; e < end; ++e) columns[e - begin] = local.global(adjacency.columns[e]);
  std::vector<float> values;
  if (!adjacency.values.empty())
    values.assign(adjacency.values.begin() + begin, adjacency.values.begin() + end);
  adjacency = {};
  GraphRows out = make_rows(communicator, std::move(partition), std::move(offsets), std::move(columns),
                            std::move(values), halo);
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
