#include "parsimony/core/safetensors.hpp"

#include "check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::value_or_error([&] {
    const SafetensorsFile file(fuzz::as_string(data, size), "input");
    std::int64_t bytes = file.header_bytes();
    for (const TensorView& tensor : file.tensors()) {
      fuzz::check(tensor.bytes() == static_cast<std::int64_t>(tensor.data.size()),
                  "the shape is that of the data");
      fuzz::check(file.find(tensor.name) == &tensor, "a tensor is found by its name");
      bytes += tensor.bytes();
      fuzz::value_or_error([&] { float32_values(tensor); });
    }
    fuzz::check(bytes == file.size(), "every byte belongs to one tensor");
  });
  return 0;
}
