// bindings.hpp: clusters of graphs and of points, their number, and scores.
#include "parsimony/cluster/cluster.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <utility>

#include "arrays.hpp"
#include "bindings.hpp"
#include "graphs.hpp"
#include "options.hpp"
#include "parsimony/cluster/number_of_clusters.hpp"
#include "parsimony/graph/scores.hpp"
#include "results.hpp"
#include "run.hpp"

namespace parsimony::python {
namespace {

using Labels = std::optional<Array1<std::int32_t>>;

void refuse_unused(const cluster::ClusterOptions& options, const Keywords& keywords, const Labels& initial,
                   const Call& call) {
  try {
    cluster::check_given(options, [&](std::string_view field) {
      return field == "warm_start" ? initial.has_value() : keywords.given(field);
    });
  } catch (const Error& error) {
    call.throw_in_keywords(error);
  }
}

nb::dict cluster_graph(const GraphHandle& graph, const nb::dict& given, const Labels& initial,
                       const Call& call) {
  Keywords keywords(given, call);
  cluster::ClusterOptions options;
  describe(options, keywords);
  keywords.refuse_unknown();
  refuse_unused(options, keywords, initial, call);
  if (initial) options.warm_start = span_of(*initial);
  return clustering_dict(run(call, kLongWork, [&](const Context& context) {
    return cluster::cluster(graph.view, options, context);
  }));
}

template <class T>
nb::tuple cluster_points(const Array2<T>& points, const nb::dict& given, const Labels& initial,
                         const Call& call) {
  Keywords keywords(given, call);
  cluster::PointClusterOptions options;
  describe(options.neighbors, keywords);  // its seed is ignored
  describe(options.graph, keywords);
  describe(options.cluster, keywords);
  keywords.refuse_unknown();
  refuse_unused(options.cluster, keywords, initial, call);
  if (initial) options.cluster.warm_start = span_of(*initial);
  cluster::PointClustering found = run(call, kLongWork, [&](const Context& context) {
    return cluster::cluster_points(view_of(points), options, context);
  });
  nb::object graph = nb::cast(GraphHandle::of(std::move(found.graph)));
  return nb::make_tuple(clustering_dict(std::move(found)), std::move(graph));
}

nb::dict choose(const GraphHandle& graph, const nb::dict& given, const Call& call) {
  const auto options = options_from<cluster::NumberOfClustersOptions>(given, call);
  return choice_dict(run(call, kLongWork, [&](const Context& context) {
    return cluster::choose_number_of_clusters(graph.view, options, context);
  }));
}

nb::dict score(const GraphHandle& graph, const Array1<std::int32_t>& labels, bool self_loops,
               const Call& call) {
  std::span<const double> loops;
  if (self_loops) loops = graph.loops;
  const auto operations = static_cast<double>(graph.view.rows() + graph.view.entries());
  return scores_dict(run(call, operations, [&](const Context& context) {
    return graph::score_partition(graph.view, span_of(labels), loops, context);
  }));
}

nb::dict agreement(const Array1<std::int32_t>& labels, const Array1<std::int32_t>& truth, const Call& call) {
  const graph::Agreement found = run(call, 100. * static_cast<double>(labels.size()), [&](const Context&) {
    return graph::agreement(span_of(labels), span_of(truth));
  });
  nb::dict out;
  out["adjusted_rand"] = found.adjusted_rand;
  out["normalized_mutual_information"] = found.normalized_mutual_information;
  out["adjusted_mutual_information"] = found.adjusted_mutual_information;
  return out;
}

}  // namespace

void bind_cluster(nb::module_& m) {
  offer_options<cluster::ClusterOptions>(m, "cluster");
  offer_options<cluster::NumberOfClustersOptions>(m, "choose_n_clusters");
  m.def("cluster_graph", &cluster_graph, nb::arg("graph"), nb::arg("keywords"), nb::arg("initial").none(),
        nb::arg("call"));
  m.def("cluster_points", &cluster_points<float>, nb::arg("points").noconvert(), nb::arg("keywords"),
        nb::arg("initial").none(), nb::arg("call"));
  m.def("cluster_points", &cluster_points<double>, nb::arg("points").noconvert(), nb::arg("keywords"),
        nb::arg("initial").none(), nb::arg("call"));
  m.def("choose_n_clusters", &choose, nb::arg("graph"), nb::arg("keywords"), nb::arg("call"));
  m.def("score", &score, nb::arg("graph"), nb::arg("labels"), nb::arg("self_loops"), nb::arg("call"));
  m.def("agreement", &agreement, nb::arg("labels"), nb::arg("truth"), nb::arg("call"));
}

}  // namespace parsimony::python
