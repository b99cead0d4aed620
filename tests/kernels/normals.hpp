// Normal values for kernels that need no alignment.
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/random.hpp"

namespace parsimony::kernels {

/// count values from the second place on, so that nothing is aligned.
inline std::vector<float> normals(std::int64_t count, std::uint64_t seed, float deviation = 1) {
  std::vector<float> out(count + 1);
  RandomStream(seed, "test").fill_normal(out, 0, deviation);
  return out;
}

}  // namespace parsimony::kernels
