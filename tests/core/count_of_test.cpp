#include "core/count_of.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "core/size_text.hpp"

namespace parsimony::count_of_test {
namespace {

TEST(CountOf, OneIsSingularAndAllOtherCountsArePlural) {
  EXPECT_EQ(count_of(1, "node"), "1 node");
  for (const std::int64_t count : {-1, 0, 2, 11, 21, 101}) {
    EXPECT_EQ(count_of(count, "node"), std::to_string(count) + " nodes");
  }
  EXPECT_EQ(count_of(std::size_t{1}, "entry", "entries"), "1 entry");
  EXPECT_EQ(count_of(std::size_t{2}, "entry", "entries"), "2 entries");
  EXPECT_EQ(noun_of(1, "is", "are"), "is");
  EXPECT_EQ(noun_of(0, "is", "are"), "are");
}

TEST(SizeText, UnitsChangeWhereTheRoundedNumberDoes) {
  EXPECT_EQ(size_text(1), "1 byte");
  EXPECT_EQ(size_text(999), "999 bytes");
  EXPECT_EQ(size_text(1000), "1 kB");
  EXPECT_EQ(size_text(999'949), "999.9 kB");
  EXPECT_EQ(size_text(999'950), "1 MB");
  EXPECT_EQ(size_text(31'400'000), "31.4 MB");
  EXPECT_EQ(size_text(999'950'000), "1 GB");
  EXPECT_EQ(size_text(2'000'000'000), "2 GB");
}

}  // namespace
}  // namespace parsimony::count_of_test
