// The test program of the room distributed: started by mpirun, with one result for all processes.
#include <gtest/gtest.h>

#include <cstdio>
#include <optional>

#include "distributed/world.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/distributed/machines.hpp"

namespace parsimony::distributed::testing {
namespace {

const Machines* machines = nullptr;
std::filesystem::path folder;

// Processes other than the first only speak of failures.
class Failures : public ::testing::EmptyTestEventListener {
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (result.passed()) return;
    std::printf("process %d: %s:%d: %s\n", world().rank(), result.file_name(), result.line_number(),
                result.message());
  }
};

int run() {
  std::string name = (std::filesystem::temp_directory_path() / "parsimony-mpi-XXXXXX").string();
  if (world().rank() == 0 && mkdtemp(name.data()) == nullptr) return 1;
  world().broadcast(std::span<char>(name));
  folder = name;
  if (world().rank() > 0) {
    auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new Failures);
  }
  const int failed = RUN_ALL_TESTS();
  const bool any = world().any(failed != 0);
  if (world().rank() == 0) std::filesystem::remove_all(folder);
  return any;
}

}  // namespace

const Communicator& world() {
  return communicator_of(machines->processes());
}

std::filesystem::path shared_file(const std::string& name, std::string_view bytes) {
  if (world().rank() == 0) std::ofstream(folder / name, std::ios::binary) << bytes;
  MPI_Barrier(world().comm());
  return folder / name;
}

graph::Graph random_graph(std::int64_t nodes, std::int64_t edges, bool weighted, std::uint64_t seed) {
  const RandomStream random(seed, "test.graph");
  std::vector<graph::Edge> list;
  for (std::int64_t e = 0; e < edges; ++e) {
    const auto from = static_cast<std::int32_t>(random.below(nodes, 3 * e));
    const auto to = static_cast<std::int32_t>(random.below(nodes, 3 * e + 1));
    list.push_back({from, to, weighted ? static_cast<float>(0.5 + random.uniform(3 * e + 2)) : 1.0f});
  }
  // Each edge once: repeated ones would add up, or contradict each other.
  for (graph::Edge& edge : list) {
    edge = {std::min(edge.from, edge.to), std::max(edge.from, edge.to), edge.weight};
  }
  const auto ends = [](const graph::Edge& edge) { return std::pair(edge.from, edge.to); };
  std::stable_sort(list.begin(), list.end(), [&](const auto& a, const auto& b) { return ends(a) < ends(b); });
  list.erase(
      std::unique(list.begin(), list.end(), [&](const auto& a, const auto& b) { return ends(a) == ends(b); }),
      list.end());
  return graph::make_graph(nodes, list);
}

GraphRows rows_of(const graph::Graph& graph, HaloKind halo) {
  const CsrView a = graph;
  graph::EntryBlock block;
  std::int64_t at = 0;
  for (std::int32_t i = 0; i < a.rows(); ++i) {
    for (std::int64_t e = a.offsets[i]; e < a.offsets[i + 1]; ++e) {
      if (a.columns[e] > i || at++ % world().count() != world().rank()) continue;
      block.nodes.push_back({i, a.columns[e]});
      if (a.weighted()) block.weights.push_back(a.values[e]);
    }
  }
  const Context context(1);
  AssemblyCounts counts;
  return assemble_rows(
      world(), a.rows(), {block}, {.meaning = graph::EntryMeaning::triangle, .weighted = a.weighted()},
      [](std::span<const std::int32_t> nodes) { return std::vector<std::string>(nodes.size()); },
      {"test", context}, halo, counts, context);
}

}  // namespace parsimony::distributed::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const parsimony::distributed::Machines machines;
  parsimony::distributed::testing::machines = &machines;
  return parsimony::distributed::testing::run();
}
