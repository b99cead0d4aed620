#include "check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::check_reader(data, size, graph::FileFormat::edge_list);
  for (graph::ReadOptions options : {graph::ReadOptions{.columns = "2,1"},
                                     {.columns = "source,target,w"},
                                     {.directed = true},
                                     {.unweighted = true}}) {
    options.max_memory = fuzz::kMemory;
    fuzz::value_or_error([&] {
      fuzz::check_graph(graph::parse_graph(fuzz::as_string(data, size), "input", options, Context(1)));
    });
  }
  return 0;
}
