// parsimony knn-graph: the graph of the nearest neighbours of points.
#include <fmt/format.h>

#include <memory>

#include "clustering/points.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  parsimony knn-graph points.npy --neighbors 10 --output graph.npz
  parsimony knn-graph embeddings.npy --metric cosine --edges mutual --output graph.mtx.gz

The nodes are the rows: 0, 1, … (1, 2, … in .mtx and .graph).)";

struct Settings {
  std::string points;
  std::string output;
  PointOptions options;
  std::int64_t max_memory = 0;
  int threads = 0;
  bool quiet = false;
};

int run(const Settings& settings, Terminal& terminal) {
  const auto input = input_path(settings.points);
  check_readable(input);
  check_writable("--output", settings.output, {input});
  if (settings.quiet) terminal.be_quiet();
  const Context context = terminal.context(settings.threads);

  Report report;
  const Matrix<float> points = read_points(settings.points, settings.max_memory);
  const graph::GraphFile file =
      graph_of_points(points, settings.options, settings.max_memory, report, context);
  graph::write_graph(settings.output, file, context);
  terminal.note(fmt::format("{}: {} nodes, {} edges; neighbours: {}, {:.2f} s", settings.output,
                            file.graph.nodes(), file.graph.edges(), search_text(report), report.seconds()));
  return kDone;
}

}  // namespace

Action add_knn_graph(CLI::App& app) {
  const auto settings = std::make_shared<Settings>();
  app.footer(kExamples);
  app.add_option("POINTS", settings->points, "2-D .npy array, a point a row; plain, .gz or .zst; - for stdin")
      ->required()
      ->type_name("");
  add_point_flags(app, settings->options, true);
  app.add_option("-o,--output", settings->output,
                 "file of the graph: .npz (SciPy reads it), .mtx or an edge list; .gz and .zst too")
      ->required()
      ->type_name("FILE")
      ->group("Output");
  Flags(app, "Run")
      .word("max_memory", "unlimited", 0)(Field{"max_memory", "bytes the run may use; 0: no limit", 0, 9e18},
                                          settings->max_memory);
  add_run_flags(app, settings->threads, settings->quiet);
  return [settings](Terminal& terminal) { return run(*settings, terminal); };
}

}  // namespace parsimony::cli
