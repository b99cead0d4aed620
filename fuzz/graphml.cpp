#include "check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  parsimony::fuzz::check_reader(data, size, parsimony::graph::FileFormat::graphml);
  return 0;
}
