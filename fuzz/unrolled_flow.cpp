#include "check.hpp"
#include "images/flow/flow_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::value_or_error([&] {
    const images::UnrolledFlow flow =
        images::parse_unrolled_flow(fuzz::as_string(data, size), "input", fuzz::kMemory);
    images::check_unrolled_flow(flow, "parsed", ErrorCode::internal);
    if (flow.mixing.size() <= 4096 && flow.steps() <= 16) {
      Matrix<float> image(3, 5);
      image(1, 2) = 9;
      images::denoise_by_flow(image, flow, 2, Context(1));
    }
  });
  return 0;
}
