#include <algorithm>

#include "check.hpp"
#include "core/files/npy_format.hpp"

namespace {

template <class Out>
void check_items(const parsimony::NpyArray& array) {
  parsimony::fuzz::value_or_error([&] {
    const auto items = parsimony::npy_items<Out>(array);
    parsimony::fuzz::check(static_cast<std::int64_t>(items.size()) == array.size(),
                           "as many items as there are");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  const std::string bytes = fuzz::as_string(data, size);
  fuzz::value_or_error([&] {
    const NpyArray array = parse_npy(bytes, "input");
    // A product of extents before a 0 may overflow: such an array has no items.
    std::int64_t product = std::count(array.shape.begin(), array.shape.end(), 0) > 0 ? 0 : array.width;
    for (const std::int64_t extent : array.shape) product *= extent;
    fuzz::check(product == static_cast<std::int64_t>(array.data.size()), "the shape is that of the data");
    check_items<std::int32_t>(array);
    check_items<std::int64_t>(array);
    check_items<float>(array);
    check_items<double>(array);
    npy_text(array);
  });
  return 0;
}
