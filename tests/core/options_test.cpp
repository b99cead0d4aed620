#include "parsimony/core/options.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "parsimony/core/nearest_name.hpp"

namespace parsimony::options_test {
namespace {

enum class Color { red, green };

constexpr auto names_of(Color) {
  using enum Color;
  return enum_names<Color>({{red, "red"}, {green, "green"}});
}

struct Options {
  std::int64_t count = 0;
  double share = 0.5;
  Color color = Color::red;
};

template <OptionsOf<Options> Struct, class Visitor>
void describe(Struct& options, Visitor&& visit) {
  visit(Field{"count", "how many", 2, 10, "auto", 0}, options.count);
  visit(Field{"share", "which part", 0, 1}, options.share);
  visit(Field{"color", "which color"}, options.color);
}

void expect_refused(const Options& options, const std::string& part) {
  try {
    validate_fields(options);
    ADD_FAILURE() << "accepted: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Options, RangesAreClosedAndTheWordStandsForItsValue) {
  validate_fields(Options{});  // the word of count, which is outside the range
  for (const std::int64_t count : {2, 10}) validate_fields(Options{.count = count});
  for (const double share : {0.0, 1.0}) validate_fields(Options{.share = share});
  expect_refused({.count = 1}, "count: 1 is out of range; must be from 2 to 10");
  expect_refused({.count = 11}, "count: 11");
  expect_refused({.share = -0.001}, "share: -0.001");
  expect_refused({.share = std::nan("")}, "share: ");
  expect_refused({.color = static_cast<Color>(7)}, "color");
}

TEST(Options, NamesOfAnEnumeration) {
  EXPECT_EQ(enum_name(Color::green), "green");
  EXPECT_EQ(enum_name(static_cast<Color>(7)), "?");
}

TEST(NearestName, SuggestsOnlyWhatIsNear) {
  const std::vector<std::string> names{"cluster", "assign", "score"};
  EXPECT_EQ(nearest_name("clutser", names), "; did you mean cluster?");
  EXPECT_EQ(nearest_name("scor", names), "; did you mean score?");
  EXPECT_EQ(nearest_name("xyzzy", names), "");
  EXPECT_EQ(nearest_name("cluster", {}), "");
}

}  // namespace
}  // namespace parsimony::options_test
