// Implements machines.hpp for parsimony-mpi: clusters over the processes that mpirun has started.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <thread>
#include <utility>

#include "core/report_json.hpp"
#include "machines/machines.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/memory.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/distributed/cluster.hpp"
#include "parsimony/distributed/labels.hpp"
#include "parsimony/distributed/machines.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/processes.hpp"
#include "support/show.hpp"

namespace parsimony::cli {
namespace {

GraphFigures figures_of(const distributed::Graph& graph) {
  GraphFigures out;
  out.nodes = graph.nodes;
  out.edges = graph.edges;
  out.weighted = graph.weighted;
  out.self_loops_dropped = graph.self_loops_dropped;
  out.duplicates_merged = graph.duplicates_merged;
  out.zeros_dropped = graph.zeros_dropped;
  return out;
}

void check_settings(ClusterSettings& settings, const Processes& processes) {
  if (settings.is_points) refuse("--points: points need one process; parsimony knn-graph writes their graph");
  if (settings.input == "-") refuse("GRAPH: several processes read a file, not stdin");
  if (!settings.output.picture.empty()) refuse("--picture: pictures need one process");
  if (!settings.warm_start.empty()) refuse("--warm-start: a warm start needs one process");
  distributed::check_options(settings.cluster(), settings.machines, processes);
}

int cluster_on(const distributed::Machines& machines, ClusterSettings settings, Terminal& terminal) {
  const Processes& processes = machines.processes();
  const bool first = processes.rank() == 0;
  const auto input = input_path(settings.input);
  check_settings(settings, processes);
  check_readable(input);
  if (first) settle_outputs(settings.output, input);
  if (settings.run.threads == 0) settings.run.threads = machines.default_threads();
  if (!first) terminal.be_quiet();
  Context context = start(terminal, settings.run);
  if (!first) context.on_progress = nullptr;  // one progress bar; the terminal sees to one message
  Report before;
  StageTimer reading(before, "read");
  const distributed::Graph graph = distributed::read_graph(input, settings.read, processes, context);
  reading.finish();
  cluster::Clustering done = distributed::cluster(graph, settings.cluster(), settings.machines, context);
  add_before(done.report, before);
  context.check_cancelled();
  // Process 0 knows the outputs.
  std::int64_t wanted = first && !settings.output.labels.empty();
  std::int64_t to_stdout = first && settings.output.labels == kStandardOutput;
  processes.broadcast(std::span<std::int64_t>(&wanted, 1));
  processes.broadcast(std::span<std::int64_t>(&to_stdout, 1));
  OutputSet outputs;
  const auto write_labels = [&] {
    const StageTimer writing(done.report, "write");
    distributed::write_labels(outputs.file(settings.output.labels), graph, done.labels, processes,
                              settings.output.write);
  };
  if (wanted && (!to_stdout || !settings.output.json)) write_labels();
  if (!first) return kDone;
  const GraphFigures figures = figures_of(graph);
  if (settings.output.json) {
    done.report.memory = memory_of(context);
    print(clustering_json(settings.input, figures, done, done.scores));
  } else if (!to_stdout) {
    print(clustering_text(figures, done, done.scores));
  }
  outputs.commit();
  return kDone;
}

// Open MPI and PETSc reserve 250 MB of addresses at their start, and wait without end where they get none;
// so does the end of a program whose OpenBLAS got none.
void check_address_space(Terminal& terminal) {
  constexpr std::int64_t kForMpi = std::int64_t{256} << 20;
  const std::int64_t left = address_space_left();
  if (left >= kForMpi) return;
  // Where all processes have this limit, the end of the first one ends the others before they speak.
  terminal.speak();
  if (process_number() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(500));
  terminal.error(fmt::format("process {}: MPI needs about {} bytes, more than the {} that are left of {}",
                             process_number(), kForMpi, left, text_of(LimitSource::address_space)));
  std::fflush(nullptr);
  std::_Exit(kFailed);
}

// An empty message: another process has failed, and says why.
[[noreturn]] void end_all(const distributed::Machines& machines, Terminal& terminal,
                          const std::string& message, int exit_code) {
  if (!message.empty()) {
    terminal.speak();
    terminal.error(fmt::format("process {}: {}", machines.processes().rank(), message));
    std::fflush(nullptr);
  }
  remove_temporary_files();
  machines.end_all(exit_code);
}

}  // namespace

int run_cluster_on_machines(const ClusterSettings& settings, const CLI::App& app, Terminal& terminal) {
  check_address_space(terminal);
  const distributed::Machines machines;
  const bool first = machines.processes().rank() == 0;
  try {
    return cluster_on(machines, settings, terminal);
  } catch (const Error& error) {
    // mpirun ends the others with a signal where one has failed, which then has said why.
    const bool ended = error.code() == ErrorCode::cancelled;
    const std::string message = in_flags(error.what(), app);
    if (!machines.all_fail()) {
      end_all(machines, terminal, ended ? "" : message, exit_code(error, message, app));
    }
    if (first) throw;
    return kDone;  // the exit code is that of process 0
  } catch (const std::bad_alloc&) {
    if (!machines.all_fail()) {
      end_all(machines, terminal, "needs more memory than there is; more processes need less each", kFailed);
    }
    if (first) throw;
    return kDone;
  } catch (const std::exception& error) {
    if (!machines.all_fail()) end_all(machines, terminal, error.what(), kFailed);
    if (first) throw;
    return kDone;
  }
}

}  // namespace parsimony::cli
