// The page of a report.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "parsimony/core/bandwidth.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/report_page.hpp"
#include "released.hpp"

namespace parsimony::python {
namespace {

namespace nb = nanobind;

void save_report(const std::string& path, const std::string& json, const std::string& title,
                 const std::vector<std::pair<std::string, nb::bytes>>& pictures) {
  ReportPage page{.title = title};
  for (const auto& [caption, png] : pictures) {
    page.pictures.push_back({caption, std::string(png.c_str(), png.size())});
  }
  const Context context = context_until_end(0);
  const Released released;
  page.bandwidth = copy_bandwidth(context);
  write_file(path, report_page(json, page));
}

}  // namespace

void bind_report(nb::module_& m) {
  m.def("save_report", &save_report, nb::arg("path"), nb::arg("json"), nb::arg("title"), nb::arg("pictures"));
}

}  // namespace parsimony::python
