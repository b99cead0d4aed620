// Random points, and the error that float32 sums may have, for the tests of the kernels of k-means.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/nearest_centroid.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels {

inline constexpr std::int64_t kLongest = 67;

// count points of d values at an odd offset and stride, guarded by NaN so that a stray read shows.
struct Points {
  std::vector<float> store, shift;
  std::vector<std::int32_t> rows;
  PointRows view;

  Points(std::int64_t count, std::int64_t d, bool gathered)
      : store(3 * (count + 1) * (d + 3) + 8, std::nanf("")), shift(d), rows(count) {
    const std::int64_t stride = d + 3, reach = gathered ? 3 : 1;
    const RandomStream stream(count * 1000 + d, "test.points");
    for (std::int64_t t = 0; t < count; ++t) {
      rows[t] = static_cast<std::int32_t>(gathered ? reach * (count - 1 - t) : t);
      stream.fill_normal({store.data() + 1 + rows[t] * stride, static_cast<std::size_t>(d)}, t * d);
    }
    RandomStream(7, "test.shift").fill_normal(shift);
    view = {store.data() + 1, stride, d, shift.data(), gathered ? rows.data() : nullptr};
  }
};

inline std::vector<float> normals(std::int64_t count, const char* name) {
  std::vector<float> out(count);
  RandomStream(3, name).fill_normal(out);
  return out;
}

// The error budget of every sum of d products: (d + 3) 2⁻²⁴ times the sum of their absolute values, for each
// side.
inline double budget(std::int64_t d, double magnitude) {
  return 2 * double(d + 3) * 0x1p-24 * magnitude;
}

}  // namespace parsimony::kernels
