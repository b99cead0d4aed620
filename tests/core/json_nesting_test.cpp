#include "core/json_nesting.hpp"

#include <gtest/gtest.h>

#include <string>

namespace parsimony::json_nesting_test {
namespace {

TEST(JsonNesting, CountsListsAndObjectsWithinEachOther) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += i % 2 == 0 ? "[" : "{\"a\":";
    text += "1";
    for (int i = depth; i-- > 0;) text += i % 2 == 0 ? "]" : "}";
    return text;
  };
  EXPECT_FALSE(nests_too_deep(nested(kMostJsonNesting)));
  EXPECT_TRUE(nests_too_deep(nested(kMostJsonNesting + 1)));
  EXPECT_TRUE(nests_too_deep(std::string(1000, '[')));
  std::string beside = "[";
  for (int i = 0; i < 1000; ++i) beside += "[],";
  EXPECT_FALSE(nests_too_deep(beside + "1]"));
}

TEST(JsonNesting, LeavesOutTheCharactersOfStrings) {
  EXPECT_FALSE(nests_too_deep("\"" + std::string(1000, '[') + "\""));
  EXPECT_FALSE(nests_too_deep(R"(["\"", "\\"])" + ("\"" + std::string(1000, '{'))));
  EXPECT_TRUE(nests_too_deep(R"(["\\", )" + std::string(1000, '{')));
}

}  // namespace
}  // namespace parsimony::json_nesting_test
