// parsimony generate: random graphs with a planted partition.
#include <fmt/format.h>

#include <memory>

#include "exit_code.hpp"
#include "files.hpp"
#include "flags.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/labels.hpp"
#include "parsimony/graph/read.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Example:
  parsimony generate sbm --nodes 100k --clusters 100 --degree 16 --epsilon-ratio 0.25 --output sbm.mtx --labels truth.txt)";

struct Settings {
  graph::BlockModelOptions options;
  std::string output;
  std::string labels;
  int threads = 0;
  bool quiet = false;
};

int run(const Settings& settings, Terminal& terminal) {
  check_writable("--output", settings.output);
  if (!settings.labels.empty()) check_writable("--labels", settings.labels, {settings.output});
  if (settings.quiet) terminal.be_quiet();
  const Context context = terminal.context(settings.threads);

  graph::PlantedGraph planted = graph::stochastic_block_model(settings.options, context);
  const graph::GraphFile file{std::move(planted.graph),
                              graph::NodeIds::consecutive(settings.options.nodes, 1)};
  graph::write_graph(settings.output, file, context);
  if (!settings.labels.empty()) graph::write_labels(settings.labels, file.ids, planted.labels);
  terminal.note(
      fmt::format("{}: {} nodes, {} edges", settings.output, file.graph.nodes(), file.graph.edges()));
  return kDone;
}

}  // namespace

Action add_generate(CLI::App& app) {
  const auto settings = std::make_shared<Settings>();
  app.require_subcommand(1);
  app.footer(kExamples);
  CLI::App& sbm = *app.add_subcommand("sbm", "stochastic block model, plain or degree-corrected");
  sbm.footer(kExamples);
  describe(settings->options, Flags(sbm, "Model"));
  sbm.add_option("-o,--output", settings->output,
                 "file of the graph: .mtx, .graph, .npz or an edge list; .gz and .zst too")
      ->required()
      ->type_name("FILE")
      ->group("Output");
  sbm.add_option("--labels", settings->labels, "file of the planted clusters, text or .npy")
      ->type_name("FILE")
      ->group("Output");
  add_run_flags(sbm, settings->threads, settings->quiet);
  return [settings](Terminal& terminal) { return run(*settings, terminal); };
}

}  // namespace parsimony::cli
