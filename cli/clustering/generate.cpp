// parsimony generate: makes random graphs with a planted partition.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/labels.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kBlockModel =
    R"(Example:
  parsimony generate sbm --nodes 100k --clusters 100 --degree 16 --epsilon-ratio 0.25 --output sbm.mtx --labels truth.txt)";
constexpr const char* kLfr =
    R"(Example:
  parsimony generate lfr --nodes 100k --mean-degree 20 --max-degree 100 --mixing 0.3 --max-community 200 --output lfr.mtx --labels truth.txt)";

struct GenerateSettings {
  graph::BlockModelOptions block_model;
  graph::LfrOptions lfr;
  std::string output;
  graph::WriteOptions write;
  std::string labels;
  RunSettings run;
};

int run_generate(const GenerateSettings& settings, bool lfr, Terminal& terminal) {
  const auto output = checked_output("--output", settings.output, settings.run.json);
  graph::check_graph_output(output, settings.write);
  if (!settings.labels.empty()) {
    check_writable("--labels", settings.labels, {output});
    graph::check_labels_output(settings.labels);
  }
  const Context context = start(terminal, settings.run);

  graph::PlantedGraph planted = lfr ? graph::lfr_benchmark(settings.lfr, context)
                                    : graph::stochastic_block_model(settings.block_model, context);
  const std::int64_t nodes = planted.graph.nodes();
  const graph::GraphFile file{
      std::move(planted.graph),
      graph::NodeIds::consecutive(nodes, graph::first_written_id(output, settings.write))};
  OutputSet outputs;
  graph::write_graph(outputs.file(output), file, settings.write, context);
  if (!settings.labels.empty()) graph::write_labels(outputs.file(settings.labels), file.ids, planted.labels);
  if (settings.run.json) print(json_text({{"graph", graph_json(settings.output, file)}}, context));
  outputs.commit();
  terminal.note(fmt::format("{}: {}, {}", settings.output, count_of(file.graph.nodes(), "node"),
                            count_of(file.graph.edges(), "edge")));
  return kDone;
}

}  // namespace

Action add_generate(CLI::App& app) {
  const auto settings = std::make_shared<GenerateSettings>();
  app.require_subcommand(1);
  app.footer(kBlockModel);
  const auto add = [&](const char* name, const char* help, const char* example, auto& options) {
    CLI::App& model = *app.add_subcommand(name, help);
    model.footer(example);
    describe(options, Flags(model, "Model"));
    add_output_flag(model, settings->output,
                    "file of the graph: .mtx, .graph, .npz or an edge list; .gz and .zst too; - for stdout")
        ->required();
    describe(settings->write, Flags(model, "Output"));
    model.add_option("--labels", settings->labels, "file of the planted clusters, text or .npy")
        ->type_name("FILE")
        ->group("Output");
    add_json_flag(model, settings->run.json);
    add_run_flags(model, settings->run);
    return &model;
  };
  add("sbm", "stochastic block model, plain or degree-corrected", kBlockModel, settings->block_model);
  const CLI::App* lfr =
      add("lfr", "LFR benchmark: power laws of degrees and community sizes", kLfr, settings->lfr);
  return [settings, lfr](Terminal& terminal) { return run_generate(*settings, lfr->parsed(), terminal); };
}

}  // namespace parsimony::cli
