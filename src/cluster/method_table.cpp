#include "cluster/method_table.hpp"

#include <algorithm>

#include "parsimony/core/error.hpp"

namespace parsimony::cluster {
namespace {

template <class Options, class Run>
MethodRow row(Method method, bool starts_warm, Run run) {
  MethodRow out{.method = method, .starts_warm = starts_warm};
  const Options defaults;
  describe(defaults, [&](const Field& field, const auto&) { out.options.push_back(field.name); });
  out.estimate_memory = [](CsrView adjacency, const ClusterOptions& options, const Context& context) {
    return estimate_memory(adjacency, options_of<Options>(options), context);
  };
  out.run = [run](CsrView adjacency, const ClusterOptions& options, const MethodInputs& inputs,
                  const Context& context) {
    return run(adjacency, options_of<Options>(options), inputs, context);
  };
  return out;
}

}  // namespace

std::span<const MethodRow> method_table() {
  static const std::vector<MethodRow> table{
      row<AutomaticOptions>(Method::automatic, true,
                            [](CsrView graph, const auto& options, const auto& inputs, const auto& context) {
                              return automatic_clustering(graph, options, inputs.initial, context);
                            }),
      row<CompressiveOptions>(
          Method::compressive, true,
          [](CsrView graph, const auto& options, const auto& inputs, const auto& context) {
            return compressive_spectral_clustering(graph, options, inputs.initial, context);
          }),
      row<FilteredOptions>(Method::filtered, true,
                           [](CsrView graph, const auto& options, const auto& inputs, const auto& context) {
                             return filtered_spectral_clustering(graph, options, inputs.initial, context);
                           }),
      row<ExactOptions>(Method::exact, false,
                        [](CsrView graph, const auto& options, const auto& inputs, const auto& context) {
                          return exact_spectral_clustering(graph, options, inputs.density, context);
                        })};
  return table;
}

const MethodRow& row_of(Method method) {
  const auto table = method_table();
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& r) { return r.method == method; });
  if (found == table.end()) throw Error(ErrorCode::internal, "a method without a row");
  return *found;
}

bool has_option(Method method, std::string_view field) {
  constexpr std::string_view kOfEvery[] = {"method", "clusters", "min_clusters", "max_clusters",
                                           "components"};
  const MethodRow& row = row_of(method);
  if (field == "warm_start") return row.starts_warm;
  return std::ranges::find(kOfEvery, field) != std::end(kOfEvery) ||
         std::find(row.options.begin(), row.options.end(), field) != row.options.end();
}

}  // namespace parsimony::cluster
