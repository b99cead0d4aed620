// A flow whose values are all different, so that no two derivatives can be mistaken for each other.
#pragma once

#include <cstdint>

#include "images/flow/flow_file.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/images/unrolled_flow.hpp"

namespace parsimony::images {

inline UnrolledFlow perturbed_flow(std::int64_t filters, std::int64_t steps, std::int64_t side) {
  UnrolledFlow flow = initial_unrolled_flow(filters, steps, side);
  std::uint64_t stream = 0;
  for (const auto array : flow_arrays(flow)) {
    const RandomStream random(1, "test.flow", stream++);
    for (std::size_t k = 0; k < array.size(); ++k) array[k] += 0.2 * random.normal(k);
  }
  return flow;
}

}  // namespace parsimony::images
