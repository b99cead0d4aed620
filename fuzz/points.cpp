#include "check.hpp"
#include "graph/file/point_formats.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::value_or_error([&] {
    const graph::PointArray points =
        graph::parse_points(fuzz::as_string(data, size), "input", {}, fuzz::limited_context());
    // An array may state any number of columns beside 0 rows.
    std::visit([&](const auto& rows) { fuzz::check(rows.size() <= fuzz::kMemory / 4, "within the limit"); },
               points);
    const auto* doubles = std::get_if<Matrix<double>>(&points);
    if (doubles && doubles->size() <= 4096) graph::float32_points(doubles->view(), {}, Context(1));
  });
  return 0;
}
