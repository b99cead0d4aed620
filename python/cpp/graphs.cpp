#include "graphs.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "arrays.hpp"
#include "bindings.hpp"
#include "options.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/graph/neighbor_graph.hpp"
#include "run.hpp"

namespace parsimony::python {
namespace {

using Values = std::optional<Array1<float>>;

// Weights of the diagonal; empty: it holds none.
std::vector<double> diagonal_of(CsrView matrix) {
  std::vector<double> out;
  for (std::int64_t row = 0; row < matrix.rows(); ++row) {
    for (std::int64_t at = matrix.offsets[row]; at < matrix.offsets[row + 1]; ++at) {
      if (matrix.columns[at] != row) continue;
      if (out.empty()) out.resize(static_cast<std::size_t>(matrix.rows()));
      out[row] += matrix.weighted() ? matrix.values[at] : 1;
    }
  }
  return out;
}

// A matrix that is a sound graph is used where it lies; of any other one, the library makes a graph.
GraphHandle from_csr(const Array1<std::int64_t>& offsets, const Array1<std::int32_t>& columns,
                     const Values& values, bool symmetrize, const Call& call) {
  CsrView matrix{.offsets = span_of(offsets), .columns = span_of(columns)};
  if (values) matrix.values = span_of(*values);
  const bool all_ones = std::ranges::all_of(matrix.values, [](float value) { return value == 1; });
  if (all_ones) matrix.values = {};
  GraphHandle out =
      run(call, 10. * static_cast<double>(columns.size() + offsets.size()), [&](const Context& context) {
        GraphHandle handle;
        try {
          handle.view = graph::check_graph(matrix, context);
        } catch (const Error& error) {
          if (error.code() != ErrorCode::invalid_argument) throw;
          handle = GraphHandle::of(graph::make_graph(matrix, {.symmetrize = symmetrize}, context));
          handle.loops = diagonal_of(matrix);
        }
        return handle;
      });
  if (out.owned.nodes() == 0) {
    out.arrays = nb::make_tuple(offsets, columns, all_ones ? nb::none() : nb::cast(*values));
  }
  return out;
}

GraphHandle from_edges(std::int64_t nodes, const Array1<std::int32_t>& from, const Array1<std::int32_t>& to,
                       const Values& weights, bool symmetrize, const Call& call) {
  const std::size_t count = from.size();
  if (to.size() != count || (weights && weights->size() != count)) {
    refuse("edges: the arrays of sources, targets and weights must have one length");
  }
  return run(call, 50. * static_cast<double>(count), [&](const Context& context) {
    std::vector<graph::Edge> edges(count);
    std::vector<double> loops;
    for (std::size_t e = 0; e < count; ++e) {
      edges[e] = {from.data()[e], to.data()[e], weights ? weights->data()[e] : 1};
    }
    GraphHandle handle =
        GraphHandle::of(graph::make_graph(nodes, edges, {.symmetrize = symmetrize}, context));
    for (const graph::Edge& edge : edges) {
      if (edge.from != edge.to) continue;
      if (handle.loops.empty()) handle.loops.resize(static_cast<std::size_t>(nodes));
      handle.loops[edge.from] += edge.weight;
    }
    return handle;
  });
}

GraphHandle from_file(const std::string& path, const nb::dict& keywords, const Call& call) {
  const auto options = options_from<graph::ReadOptions>(keywords, call);
  return run(call, 2 * kSmallWork, [&](const Context& context) {
    graph::GraphFile file = graph::read_graph(path, options, context);
    GraphHandle handle = GraphHandle::of(std::move(file.graph));
    handle.loops = std::move(file.loop_weights);
    handle.ids = std::move(file.ids);
    return handle;
  });
}

// The arrays of the matrix. Those of a graph of the library live as long as the handle.
nb::tuple csr_of(nb::handle_t<GraphHandle> self) {
  const auto& handle = nb::cast<const GraphHandle&>(self);
  if (handle.arrays.is_valid()) return nb::borrow<nb::tuple>(handle.arrays);
  const nb::object owner = nb::borrow(self);
  const Csr& csr = handle.owned.adjacency;
  return nb::make_tuple(
      array_in(csr.offsets.data(), csr.offsets.size(), owner),
      array_in(csr.columns.data(), csr.columns.size(), owner),
      csr.values.empty() ? nb::none() : array_in(csr.values.data(), csr.values.size(), owner));
}

// The names of the nodes of a file are not a part of it: NamedGraph has them.
nb::tuple state_of(nb::handle_t<GraphHandle> self) {
  const auto& handle = nb::cast<const GraphHandle&>(self);
  return nb::make_tuple(csr_of(self), array_of(std::vector(handle.loops)));
}

void set_state(
    GraphHandle& self,
    const std::pair<std::tuple<Array1<std::int64_t>, Array1<std::int32_t>, Values>, Array1<double>>& state) {
  const auto& [csr, loops] = state;
  GraphHandle made = std::apply(
      [](const auto&... arrays) {
        return from_csr(arrays..., false, Call{.progress = nb::none(), .log = nb::none()});
      },
      csr);
  made.loops.assign(loops.data(), loops.data() + loops.size());
  new (&self) GraphHandle(std::move(made));
}

// None for 0, 1, …; an array where all names are numbers; else a list of text.
nb::object ids_of(const GraphHandle& handle) {
  if (!handle.ids) return nb::none();
  std::vector<std::int64_t> numbers;
  std::vector<std::string> names;
  for (std::int64_t node = 0; node < handle.ids->size(); ++node) {
    names.push_back(handle.ids->name(node));
    const std::string& name = names.back();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc{} && end == name.data() + name.size() && std::to_string(number) == name) {
      numbers.push_back(number);
    }
  }
  if (numbers.size() == names.size()) return array_of(std::move(numbers));
  nb::list out;
  for (const std::string& name : names) out.append(nb::str(name.data(), name.size()));
  return out;
}

}  // namespace

GraphHandle GraphHandle::of(graph::Graph graph) {
  GraphHandle out;
  out.owned = std::move(graph);
  out.view = out.owned;
  out.view.checked = true;
  return out;
}

void bind_graphs(nb::module_& m) {
  offer_options<graph::ReadOptions>(m, "read");
  nb::class_<GraphHandle>(m, "Graph", "A sound undirected graph, held by the library or in arrays of Python.")
      .def_static("from_csr", &from_csr, nb::arg("offsets"), nb::arg("columns"), nb::arg("values").none(),
                  nb::arg("symmetrize"), nb::arg("call"))
      .def_static("from_edges", &from_edges, nb::arg("nodes"), nb::arg("from_"), nb::arg("to"),
                  nb::arg("weights").none(), nb::arg("symmetrize"), nb::arg("call"))
      .def_static("from_file", &from_file, nb::arg("path"), nb::arg("keywords"), nb::arg("call"))
      .def_prop_ro("nodes", [](const GraphHandle& self) { return self.view.rows(); })
      .def_prop_ro("edges", [](const GraphHandle& self) { return self.view.entries() / 2; })
      .def_prop_ro(
          "self_loops",
          [](const GraphHandle& self) {
            return std::ranges::count_if(self.loops, [](double weight) { return weight > 0; });
          },
          "nodes with a self loop, which the graph leaves out")
      .def("csr", &csr_of, "(offsets, columns, values or None), read-only by contract")
      .def("__getstate__", &state_of)
      .def("__setstate__", &set_state)
      .def("ids", &ids_of, "the names of the nodes in the file, or None");
}

}  // namespace parsimony::python
