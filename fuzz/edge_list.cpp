#include "check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::check_reader(data, size, graph::FileFormat::edge_list);
  for (const graph::ReadOptions& options : {graph::ReadOptions{.columns = "2,1"},
                                            {.columns = "source,target,w"},
                                            {.directed = true},
                                            {.unweighted = true}}) {
    fuzz::value_or_error([&] {
      fuzz::check_graph(
          graph::parse_graph(fuzz::as_string(data, size), "input", options, fuzz::limited_context()));
    });
  }
  return 0;
}
