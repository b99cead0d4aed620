#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "bindings.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/version.hpp"

NB_MODULE(_core, m) {
  namespace python = parsimony::python;
  nanobind::set_leak_warnings(false);  // a program may hold objects until it ends
  m.doc() = "The library behind parsimony_ml. Its functions are private: use those of parsimony_ml.";
  m.def("version", &parsimony::version, "\"major.minor.patch\" of the library.");
  m.def("simd_target", &parsimony::simd_target, "The SIMD target that the kernels use on this machine.");
  m.def("default_thread_count", &parsimony::default_thread_count,
        "The cores that this process may use, or OMP_NUM_THREADS if that is smaller.");
  m.attr("options") = nanobind::dict();  // filled by offer_options()
  python::bind_errors(m);
  python::bind_call(m);
  python::bind_graphs(m);
  python::bind_cluster(m);
  python::bind_points(m);
  python::bind_images(m);
  python::bind_operators(m);
  python::bind_weights(m);
  python::bind_compact(m);
  python::bind_noise(m);
  python::bind_report(m);
  python::bind_released(m);
#ifdef PARSIMONY_RUN
  python::bind_networks(m);
#endif
}
