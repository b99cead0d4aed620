#include "kernels/even_parts.hpp"

#include <gtest/gtest.h>

namespace parsimony::kernels::even_parts_test {
namespace {

TEST(EvenParts, HoldEachThingOnce) {
  for (const std::int64_t count : {0, 1, 7, 64, 512}) {
    for (const std::int64_t parts : {1, 2, 3, 64, 511, 512, 513, 2736}) {
      EvenParts cut(count, parts);
      std::int64_t sum = 0;
      for (std::int64_t p = 1; p <= parts; ++p) {
        sum += cut.next();
        ASSERT_EQ(sum, p * count / parts) << count << " in " << parts;
      }
    }
  }
}

}  // namespace
}  // namespace parsimony::kernels::even_parts_test
