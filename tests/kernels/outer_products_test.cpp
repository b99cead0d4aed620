#include "kernels/outer_products.hpp"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <cmath>
#include <vector>

#include "kernels/every_target.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::outer_products_test {
namespace {

// depth products of size ~1, summed in the same order: only the rounding of fused multiply-adds differs.
template <class T>
void expect_twin(std::int64_t m, std::int64_t n, std::int64_t depth, bool accumulate, double budget) {
  SCOPED_TRACE(::testing::Message() << m << " x " << n << ", depth " << depth << ", accumulate "
                                    << accumulate);
  const auto normals = [](std::int64_t count, std::uint64_t seed) {
    std::vector<T> out(count + 1);  // from the second on, so that nothing is aligned
    for (std::int64_t i = 0; i < count; ++i)
      out[i + 1] = static_cast<T>(RandomStream(seed, "test").normal(i));
    return out;
  };
  const std::vector<T> a = normals(m * depth, 1), b = normals(n * depth, 2), before = normals(m * n, 3);
  std::vector<T> expected = before, found = before;
  outer_products_scalar<T>(a.data() + 1, m, b.data() + 1, n, depth, expected.data() + 1, accumulate);
  outer_products<T>(a.data() + 1, m, b.data() + 1, n, depth, found.data() + 1, accumulate);
  EXPECT_EQ(found[0], before[0]);
  for (std::size_t i = 1; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], budget) << i;
}

TEST(OuterProducts, EqualTheScalarTwinOnEveryTarget) {
  for_targets([&] {
    for (std::int64_t depth = 0; depth <= 67; depth += depth < 4 ? 1 : 9) {
      for (const bool accumulate : {false, true}) {
        for (const std::int64_t tiles : {1, 2, 5}) {
          const std::int64_t m = kOuterRows * tiles;
          expect_twin<float>(m, kOuterColumns<float> * (6 - tiles), depth, accumulate, 1e-4);
          expect_twin<double>(m, kOuterColumns<double> * (6 - tiles), depth, accumulate, 1e-13);
        }
      }
    }
  });
}

}  // namespace
}  // namespace parsimony::kernels::outer_products_test
