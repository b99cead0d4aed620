// parsimony convert: writes a graph in another format.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "parsimony/graph/file.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kConvertExamples = R"(Examples:
  parsimony convert com-dblp.ungraph.txt.gz dblp.mtx
  parsimony convert directed.npz undirected.graph --symmetrize
  parsimony convert affinity.npy graph.npz --affinity
  zcat graph.txt.gz | parsimony convert - - --output-format matrix-market > graph.mtx)";

struct ConvertSettings {
  std::string input;
  std::string output;
  graph::ReadOptions read;
  graph::WriteOptions write;
  RunSettings run;
};

int run_convert(const ConvertSettings& settings, Terminal& terminal) {
  const auto input = input_path(settings.input);
  check_readable(input);
  const auto output = checked_output("OUT", settings.output, settings.run.json, {input});
  graph::check_graph_output(output, settings.write);
  const Context context = start(terminal, settings.run);

  const graph::GraphFile file = read_graph(settings.input, settings.read, context);
  OutputSet outputs;
  graph::write_graph(outputs.file(output), file, settings.write, context);
  if (settings.run.json)
    print(json_text({{"input", settings.input}, {"graph", graph_json(settings.output, file)}}, context));
  outputs.commit();
  terminal.note(fmt::format("{}: {}, {}", settings.output, count_of(file.graph.nodes(), "node"),
                            count_of(file.graph.edges(), "edge")));
  return kDone;
}

}  // namespace

Action add_convert(CLI::App& app) {
  const auto settings = std::make_shared<ConvertSettings>();
  app.footer(kConvertExamples);
  app.add_option("IN", settings->input,
                 "edge list, Matrix Market, METIS, SciPy .npz, GraphML, GML or Pajek; plain, .gz or .zst; - "
                 "for stdin")
      ->required()
      ->type_name("");
  app.add_option("OUT", settings->output,
                 "the format is that of the ending: .mtx, .graph, .npz, .graphml, .gml, .net, .txt, .tsv, "
                 ".csv, .edges; - for stdout")
      ->required()
      ->type_name("");
  add_read_flags(app, settings->read);
  describe(settings->write, Flags(app, "Output"));
  add_json_flag(app, settings->run.json);
  add_run_flags(app, settings->run);
  return [settings](Terminal& terminal) { return run_convert(*settings, terminal); };
}

}  // namespace parsimony::cli
