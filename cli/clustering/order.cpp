// parsimony order: numbers the nodes of a graph by communities.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "core/count_of.hpp"
#include "core/report_json.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/partition/community_order.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kOrderExamples = R"(Examples:
  parsimony order com-dblp.ungraph.txt.gz --output ordered.mtx --save-order order.npy

Several machines cut a graph into ranges of nodes and exchange the nodes on their borders. Neighbours that have near
numbers make these few: order a graph once, and cluster it on many machines. Entry i of order.npy is the place of
node i of the ordered graph among the sorted ids of the given one, so that in NumPy
  labels_of_ids = numpy.empty_like(labels); labels_of_ids[numpy.load("order.npy")] = labels)";

struct OrderSettings {
  std::string input, output, order;
  graph::ReadOptions read;
  graph::WriteOptions write;
  partition::CommunityOrderOptions options;
  RunSettings run;
};

std::string joined(const std::vector<double>& values, const char* format) {
  std::string text;
  for (const double value : values) {
    text += (text.empty() ? "" : ", ") + fmt::format(fmt::runtime(format), value);
  }
  return text;
}

std::string shares_text(const Report& report) {
  const auto figures = [&](const char* name, const char* format) {
    return joined(report.figure<std::vector<double>>(name), format);
  };
  return fmt::format("{}; {} parts need {} of the nodes from other parts, {} before",
                     count_of(report.figure<std::int64_t>("communities"), "community", "communities"),
                     figures("parts", "{:.0f}"), figures("ghosts_after", "{:.2f}"),
                     figures("ghosts_before", "{:.2f}"));
}

int run_order(const OrderSettings& settings, Terminal& terminal) {
  const auto input = input_path(settings.input);
  check_readable(input);
  const auto output = checked_output("--output", settings.output, settings.run.json, {input});
  graph::check_graph_output(output, settings.write);
  if (!settings.order.empty()) check_writable("--save-order", settings.order, {input, output});
  const Context context = start(terminal, settings.run);
  const graph::GraphFile file = read_graph(settings.input, settings.read, context);
  partition::CommunityOrder ordered = partition::order_by_communities(file.graph, settings.options, context);
  OutputSet outputs;
  graph::GraphFile written{.graph = std::move(ordered.graph),
                           .ids = graph::NodeIds::consecutive(file.graph.nodes(), 1)};
  graph::write_graph(outputs.file(output), written, settings.write, context);
  if (!settings.order.empty()) {
    write_npy(outputs.file(settings.order), std::span<const std::int32_t>(ordered.order));
  }
  if (settings.run.json) {
    nlohmann::ordered_json root = report_json(ordered.report);
    root["graph"] = graph_json(settings.input, file);
    print(json_text(root, context));
  } else {
    terminal.note(fmt::format("{}: {}", settings.output, shares_text(ordered.report)));
  }
  outputs.commit();
  return kDone;
}

}  // namespace

Action add_order(CLI::App& app) {
  const auto settings = std::make_shared<OrderSettings>();
  app.footer(kOrderExamples);
  app.add_option("GRAPH", settings->input,
                 "edge list, Matrix Market, METIS, SciPy .npz, GraphML, GML or Pajek; plain, .gz or .zst; - "
                 "for stdin")
      ->required()
      ->type_name("");
  add_read_flags(app, settings->read);
  describe(settings->options, Flags(app, "Order"));
  add_output_flag(app, settings->output, "file of the ordered graph, whose nodes are 1, 2, …; - for stdout")
      ->required();
  describe(settings->write, Flags(app, "Output"));
  app.add_option("--save-order", settings->order, "file (.npy) that says which node each one was")
      ->type_name("FILE")
      ->group("Output");
  add_json_flag(app, settings->run.json);
  add_run_flags(app, settings->run);
  return [settings](Terminal& terminal) { return run_order(*settings, terminal); };
}

}  // namespace parsimony::cli
