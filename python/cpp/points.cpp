// bindings.hpp: graphs of points, points in files, and the assignment of new points to clusters.
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "arrays.hpp"
#include "bindings.hpp"
#include "graphs.hpp"
#include "options.hpp"
#include "parsimony/cluster/cluster.hpp"
#include "parsimony/cluster/model.hpp"
#include "parsimony/graph/point_file.hpp"
#include "parsimony/graph/point_graph.hpp"
#include "results.hpp"
#include "run.hpp"

namespace parsimony::python {
namespace {

using cluster::PointModel;

double size_of(const auto& points) {
  return 100. * static_cast<double>(points.size());
}

template <class T>
nb::tuple knn_graph(const Array2<T>& points, const nb::dict& given, const Call& call) {
  const auto options = options_from<graph::PointGraphOptions>(given, call);
  graph::PointGraph made = run(call, size_of(points), [&](const Context& context) {
    return graph::point_graph(view_of(points), options, context);
  });
  const nb::str report = report_text(made.report);
  return nb::make_tuple(GraphHandle::of(std::move(made.graph)), report);
}

nb::object read_points(const std::string& path, const nb::dict& given, const Call& call) {
  const auto options = options_from<graph::PointReadOptions>(given, call);
  graph::PointArray read = run(call, kLongWork, [&](const Context& context) {
    return graph::read_point_array(path, options, context);
  });
  return std::visit([](auto& points) { return array_of(std::move(points)); }, read);
}

PointModel model_of(graph::Points points, const Array1<std::int32_t>& labels, std::int64_t clusters,
                    const cluster::PointClusterOptions& options) {
  cluster::Clustering found;
  found.labels.assign(labels.data(), labels.data() + labels.size());
  found.clusters = clusters;
  return cluster::make_model(std::move(points), found, options);
}

template <class T>
PointModel make_model(const Array2<T>& points, const Array1<std::int32_t>& labels, std::int64_t clusters,
                      const nb::dict& given, const Call& call) {
  cluster::PointClusterOptions options;
  options.neighbors = options_from<graph::NeighborOptions>(given, call);
  if (labels.size() != points.shape(0)) refuse("labels: must be one for each point");
  return run(call, size_of(points), [&](const Context& context) {
    if constexpr (std::is_same_v<T, double>) {
      return model_of(graph::float32_points(view_of(points), options.neighbors.metric, context), labels,
                      clusters, options);
    } else {
      return model_of({copy_of(view_of(points)), {}}, labels, clusters, options);
    }
  });
}

template <class T>
nb::dict assign(const PointModel& model, const Array2<T>& points, const nb::dict& given, const Call& call) {
  const auto options = options_from<cluster::AssignOptions>(given, call);
  return result_dict(run(call, kLongWork, [&](const Context& context) {
    return cluster::assign(model, view_of(points), options, context);
  }));
}

void save_model(const PointModel& model, const std::string& path, const Call& call) {
  run_work(call, kLongWork, [&](const Context&) { cluster::save_model(std::filesystem::path(path), model); });
}

PointModel load_model(const std::string& path, const Call& call) {
  return run(call, kLongWork,
             [&](const Context& context) { return cluster::load_model(path, context.memory_left()); });
}

nb::tuple state_of(const PointModel& model) {
  return nb::make_tuple(array_of(copy_of(model.points.view())), array_of(std::vector(model.labels)),
                        model.clusters, std::string(enum_name(model.metric)), model.neighbors,
                        array_of(std::vector(model.shift)));
}

void set_state(PointModel& self, const std::tuple<Array2<float>, Array1<std::int32_t>, std::int64_t,
                                                  std::string, std::int64_t, Array1<double>>& state) {
  const auto& [points, labels, clusters, metric, neighbors, shift] = state;
  new (&self) PointModel{.points = copy_of(view_of(points)),
                         .labels = {labels.data(), labels.data() + labels.size()},
                         .clusters = clusters,
                         .metric = value_named<graph::Metric>(metric),
                         .neighbors = neighbors,
                         .shift = {shift.data(), shift.data() + shift.size()}};
}

}  // namespace

void bind_points(nb::module_& m) {
  offer_options<graph::PointGraphOptions>(m, "knn_graph");
  offer_options<graph::PointReadOptions>(m, "read_points");
  offer_options<cluster::AssignOptions>(m, "assign");
  m.def(
      "names_points",
      [](const std::string& path, bool or_dense) { return graph::names_points(path, or_dense); },
      nb::arg("path"), nb::arg("or_dense"),
      "Whether a file holds points by its name, or is a .npz without a sparse matrix.");
  m.def("read_points", &read_points, nb::arg("path"), nb::arg("keywords"), nb::arg("call"));
  m.def("knn_graph", &knn_graph<float>, nb::arg("points").noconvert(), nb::arg("keywords"), nb::arg("call"));
  m.def("knn_graph", &knn_graph<double>, nb::arg("points").noconvert(), nb::arg("keywords"), nb::arg("call"));
  m.def("make_model", &make_model<float>, nb::arg("points").noconvert(), nb::arg("labels"),
        nb::arg("clusters"), nb::arg("keywords"), nb::arg("call"));
  m.def("make_model", &make_model<double>, nb::arg("points").noconvert(), nb::arg("labels"),
        nb::arg("clusters"), nb::arg("keywords"), nb::arg("call"));
  m.def("load_model", &load_model, nb::arg("path"), nb::arg("call"));
  nb::class_<PointModel>(m, "PointModel", "Points and their clusters, to which new points are assigned.")
      .def_prop_ro("clusters", [](const PointModel& self) { return self.clusters; })
      .def_prop_ro("rows", [](const PointModel& self) { return self.points.rows(); })
      .def_prop_ro("cols", [](const PointModel& self) { return self.points.cols(); })
      .def("assign", &assign<float>, nb::arg("points").noconvert(), nb::arg("keywords"), nb::arg("call"))
      .def("assign", &assign<double>, nb::arg("points").noconvert(), nb::arg("keywords"), nb::arg("call"))
      .def("save", &save_model, nb::arg("path"), nb::arg("call"))
      .def("__getstate__", &state_of)
      .def("__setstate__", &set_state);
}

}  // namespace parsimony::python
