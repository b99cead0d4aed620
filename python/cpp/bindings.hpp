// The parts of the module parsimony_ml._core. Each is a file of its own: a new one is declared here, called
// in module.cpp, and found by the build.
#pragma once

#include <nanobind/nanobind.h>

namespace parsimony::python {

void bind_call(nanobind::module_& m);
void bind_errors(nanobind::module_& m);
void bind_graphs(nanobind::module_& m);
void bind_cluster(nanobind::module_& m);
void bind_points(nanobind::module_& m);
void bind_images(nanobind::module_& m);
void bind_operators(nanobind::module_& m);
void bind_weights(nanobind::module_& m);
void bind_compact(nanobind::module_& m);
void bind_noise(nanobind::module_& m);
void bind_report(nanobind::module_& m);
void bind_released(nanobind::module_& m);
void bind_networks(nanobind::module_& m);

}  // namespace parsimony::python
