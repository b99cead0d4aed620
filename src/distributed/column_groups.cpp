#include "distributed/column_groups.hpp"

#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "cluster/methods/memory.hpp"
#include "graph/ranked_bits.hpp"
#include "spectral/panel.hpp"

namespace parsimony::distributed {
namespace {

constexpr double kMemory = 100e9, kNetwork = 12.5e9;  // bytes per second of one machine
// Bytes in memory for each byte of a ghost: packed at its owner (read and written), and written where it
// arrives; a copy within a machine reads it once more.
constexpr double kPacked = 3, kBeside = 4;

int color_of_group(const Communicator& all, int groups) {
  return all.rank() % groups;
}
int color_beside(const Communicator& all, int groups) {
  return all.rank() / groups;
}

Partition partition_in_group(const GraphRows& rows, int groups) {
  const Communicator& all = rows.communicator;
  return Partition::even(rows.all(), all.rank() / groups, all.count() / groups);
}

// The rows of the processes beside, which follow each other.
GraphRows rows_of_group(const GraphRows& rows, int groups, const Communicator& group,
                        const Communicator& beside) {
  std::vector<std::int64_t> lengths(rows.own());
  for (std::int64_t i = 0; i < rows.own(); ++i) lengths[i] = rows.offsets[i + 1] - rows.offsets[i];
  std::vector<std::int64_t> offsets = beside.gather(std::span<const std::int64_t>(lengths));
  offsets.insert(offsets.begin(), 0);
  std::inclusive_scan(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<std::int32_t> columns(rows.columns.size());
  std::transform(rows.columns.begin(), rows.columns.end(), columns.begin(),
                 [&](std::int32_t column) { return rows.global(column); });
  columns = beside.gather(std::span<const std::int32_t>(columns));
  return make_rows(group, partition_in_group(rows, groups), std::move(offsets), std::move(columns),
                   beside.gather(std::span<const float>(rows.values)), rows.halo_kind);
}

int processes_of_machine(const Communicator& all) {
  MPI_Comm machine = MPI_COMM_NULL;
  int count = 1;
  MPI_Comm_split_type(all.comm(), MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  MPI_Comm_size(machine, &count);
  MPI_Comm_free(&machine);
  return static_cast<int>(all.most_of(count));
}

// Ghosts of this process where it is in one of several groups.
std::int64_t ghosts_in_group(const GraphRows& rows, int groups) {
  if (groups == 1) return std::ssize(rows.ghosts);
  const Communicator& all = rows.communicator;
  const PartOfProcesses beside(all, color_beside(all, groups));
  const Partition partition = partition_in_group(rows, groups);
  graph::RankedBits read(rows.all());
  for (const std::int32_t ghost : rows.ghosts) {
    if (!partition.holds(ghost)) read.insert(ghost);
  }
  beside.communicator().unite(read.words());
  read_whole_parts(read, partition);
  return read.count();
}

// One process in one of some groups.
struct PartOfGroup {
  double entries = 0, nodes = 0, ghosts = 0;  // a mean over the processes
  std::int64_t columns = 0;                   // features of the group that has most
};

std::int64_t lines_of(std::int64_t features) {
  return (features + spectral::kPanelWidth - 1) / spectral::kPanelWidth;
}

double seconds_of(const PartOfGroup& part, const StepCounts& steps, bool weighted, int processes,
                  int beside) {
  const auto columns =
      static_cast<double>(steps.density_order * spectral::kPanelWidth + steps.filter_order * part.columns);
  const auto passes =
      static_cast<double>(steps.density_order + steps.filter_order * spectral::panels_of(part.columns));
  const double moved = part.entries * (4 * columns + (weighted ? 8 : 4) * passes) + 16 * part.nodes * columns;
  const double received = 4 * part.ghosts * columns;
  const double remote = processes > beside ? (processes - beside) / (processes - 1.0) : 0;
  const double copied = received * (remote * kPacked + (1 - remote) * kBeside);
  // The processes of a machine share its memory and its network.
  return beside * ((moved + copied) / kMemory + received * remote / kNetwork);
}

// Bytes of a group's rows and steps in this process, beside the rows of the graph.
std::int64_t bytes_in_group(const GraphRows& rows, const PartOfGroup& part, std::int64_t own,
                            std::int64_t ghosts, std::int64_t features) {
  const std::int64_t steps = std::max(cluster::lambda_k_bytes(own + ghosts, cluster::LambdaMethod::moments),
                                      cluster::features_bytes(own + ghosts, part.columns));
  const std::int64_t joining =
      cluster::matrix_bytes(own, part.columns) + 2 * cluster::matrix_bytes(rows.own(), features);
  // The entries, twice while they are gathered, and the factors of the rows.
  return static_cast<std::int64_t>(part.entries) * (rows.weighted ? 16 : 8) + 64 * own +
         std::max(steps, joining);
}

}  // namespace

ColumnGroups::ColumnGroups(const GraphRows& rows, int groups, graph::LaplacianKind kind,
                           double regularization, const Context& context)
    : all_(rows),
      groups_(groups),
      group_(rows.communicator, color_of_group(rows.communicator, groups)),
      beside_(rows.communicator, color_beside(rows.communicator, groups)),
      rows_(rows_of_group(rows, groups, group_.communicator(), beside_.communicator())),
      laplacian_(rows_, kind, regularization),
      operator_(laplacian_, context) {}

Matrix<float> ColumnGroups::join(Matrix<float> own, std::int64_t signals) const {
  const Communicator& beside = beside_.communicator();
  const std::vector<std::int64_t>& begins = all_.partition.begins;
  const int first = all_.communicator.rank() / groups_ * groups_;
  std::vector<Matrix<float>> parts;
  std::vector<std::span<const std::byte>> send;
  std::vector<std::span<std::byte>> receive;
  for (int g = 0; g < groups_; ++g) {
    const std::int64_t begin = begins[first + g] - begins[first];
    const std::int64_t count = (begins[first + g + 1] - begins[first + g]) * own.cols();
    send.push_back(std::as_bytes(std::span<const float>(own.data() + begin * own.cols(), count)));
    parts.emplace_back(all_.own(), spectral::signals_of_group(g, groups_, signals).count);
    receive.push_back(std::as_writable_bytes(parts.back().values()));
  }
  beside.exchange_bytes(send, receive);
  own = {};
  Matrix<float> out(all_.own(), signals);
  for (std::int64_t i = 0; i < out.rows(); ++i) {
    float* to = out.row(i).data();
    for (const Matrix<float>& part : parts) to = std::copy_n(part.row(i).data(), part.cols(), to);
  }
  return out;
}

std::vector<GroupedCost> costs_of_groups(const GraphRows& rows, const StepCounts& steps) {
  const Communicator& all = rows.communicator;
  const int beside = processes_of_machine(all);
  const std::int64_t entries = rows.entries(), lines = lines_of(steps.features);
  std::vector<GroupedCost> out;
  for (int groups = 1; groups <= std::min<std::int64_t>(lines, all.count()); ++groups) {
    if (all.count() % groups != 0) continue;
    const std::int64_t ghosts = ghosts_in_group(rows, groups), parts = all.count() / groups;
    const PartOfGroup part{
        .entries = static_cast<double>(entries) / static_cast<double>(parts),
        .nodes = static_cast<double>(rows.all()) / static_cast<double>(parts),
        .ghosts = static_cast<double>(all.sum_of(ghosts)) / all.count(),
        .columns = std::min(steps.features, (lines + groups - 1) / groups * spectral::kPanelWidth)};
    const std::int64_t own = partition_in_group(rows, groups).own();
    out.push_back({.groups = groups,
                   .seconds = seconds_of(part, steps, rows.weighted, all.count(), beside),
                   .bytes = groups == 1 ? 0 : bytes_in_group(rows, part, own, ghosts, steps.features)});
  }
  return out;
}

std::int64_t memory_for_groups(const Communicator& all, const Context& context) {
  const std::int64_t beside = processes_of_machine(all);
  if (const std::int64_t left = context.memory_left(); left > 0) return left;
  return std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE) / 2 / beside;
}

}  // namespace parsimony::distributed
