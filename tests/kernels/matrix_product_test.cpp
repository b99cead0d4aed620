#include "kernels/matrix_product.hpp"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <vector>

#include "kernels/every_target.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::matrix_product_test {
namespace {

// Up to 67 products of size ~1, summed in the same order: only the rounding of fused multiply-adds differs.
template <class T>
void expect_twin(std::int64_t rows, std::int64_t lines, std::int64_t depth, bool transposed, bool accumulate,
                 double budget) {
  SCOPED_TRACE(::testing::Message() << rows << " rows, " << lines << " lines of columns, depth " << depth
                                    << ", transposed " << transposed << ", accumulate " << accumulate);
  const auto normals = [](std::int64_t count, std::uint64_t seed) {
    std::vector<T> out(count + 1);  // from the second on, so that nothing is aligned
    for (std::int64_t i = 0; i < count; ++i)
      out[i + 1] = static_cast<T>(RandomStream(seed, "test").normal(i));
    return out;
  };
  const std::int64_t columns = lines * kProductColumns<T>, stride = (transposed ? rows : depth) + 3;
  const std::vector<T> left = normals(stride * (transposed ? depth : rows), 1),
                       b = normals(columns * depth, 2), before = normals(rows * columns, 3);
  const ProductFactor<T> a{left.data() + 1, transposed ? 1 : stride, transposed ? stride : 1};
  std::vector<T> expected = before, found = before;
  matrix_product_scalar<T>(a, rows, depth, b.data() + 1, columns, expected.data() + 1, accumulate);
  matrix_product<T>(a, rows, depth, b.data() + 1, columns, found.data() + 1, accumulate);
  EXPECT_EQ(found[0], before[0]);
  for (std::size_t i = 1; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], budget) << i;
}

TEST(MatrixProduct, EqualsTheScalarTwinOnEveryTarget) {
  for_targets([&] {
    for (std::int64_t rows = 0; rows <= 67; rows += rows < 19 ? 1 : 16) {
      for (const std::int64_t lines : {1, 2, 3}) {
        for (const std::int64_t depth : {0, 1, 2, 33, 67}) {
          const bool transposed = (rows + lines) % 2, accumulate = depth % 2;
          expect_twin<float>(rows, lines, depth, transposed, accumulate, 1e-4);
          expect_twin<double>(rows, lines, depth, !transposed, accumulate, 1e-13);
        }
      }
    }
  });
}

}  // namespace
}  // namespace parsimony::kernels::matrix_product_test
