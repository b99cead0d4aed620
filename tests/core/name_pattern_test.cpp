#include "core/name_pattern.hpp"

#include <gtest/gtest.h>

#include "expect_error.hpp"

namespace parsimony::name_pattern_test {
namespace {

TEST(NamePattern, MatchesAsItsTextSays) {
  const std::regex pattern = name_pattern("layers", R"(layer[12]\.(\d+)\.conv1)");
  EXPECT_TRUE(std::regex_match("layer1.0.conv1", pattern));
  EXPECT_FALSE(std::regex_match("layer3.0.conv1", pattern));
  EXPECT_FALSE(std::regex_match("layer1.0.conv1.weight", pattern));
  EXPECT_TRUE(std::regex_search("layer1.0.conv1.weight", pattern));
}

// By backtracking 2^60 ways would be tried.
TEST(NamePattern, DoesNotHang) {
  EXPECT_FALSE(std::regex_search(std::string(60, 'a'), name_pattern("exclude", "(a*)*b")));
}

TEST(NamePattern, NamesTheOption) {
  expect_error(ErrorCode::invalid_argument, "layers: '(' is not a regular expression",
               [] { name_pattern("layers", "("); });
}

}  // namespace
}  // namespace parsimony::name_pattern_test
