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

// The standard library takes stack for each nested group and each turn of a repetition: 20,000 ended the
// process.
TEST(NamePattern, RefusesWhatTakesTooMuchStack) {
  const auto nested = [](std::size_t groups) {
    return std::string(groups, '(') + "a" + std::string(groups, ')');
  };
  EXPECT_TRUE(std::regex_match("a", name_pattern("layers", nested(499))));
  expect_error(ErrorCode::invalid_argument, "layers: a regular expression of 40001 characters",
               [&] { name_pattern("layers", nested(20000)); });
  EXPECT_TRUE(std::regex_match(std::string(100, 'a'), name_pattern("layers", "(a?){100}")));
  for (const char* text : {"(a?){101}", "(a?){2,30000}", "a{99999999999999999999}"}) {
    expect_error(ErrorCode::invalid_argument, "repeats more than 100 times",
                 [&] { name_pattern("layers", text); });
  }
  EXPECT_NO_THROW(name_pattern("layers", R"(h\.\d{1,2}\.(attn|mlp).*)"));
  EXPECT_NO_THROW(name_pattern("layers", R"(a\{101)"));
}

}  // namespace
}  // namespace parsimony::name_pattern_test
