// Tests of the way from the options of the one call to those of a method, src/cluster/method_table.hpp.
#include "cluster/method_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "expect_error.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony::cluster::method_table_test {
namespace {

// Moves numbers away from every default, and gives enumerations their first or last value: a field that is
// not taken differs in one of the two at least.
struct Change {
  bool last;

  template <class T>
  void operator()(const Field&, T& value) const {
    if constexpr (std::is_enum_v<T>) {
      const auto names = names_of(T{});
      value = last ? names.back().first : names.front().first;
    } else if constexpr (std::is_floating_point_v<T>) {
      value += 0.37;
    } else {
      value += 1000007;
    }
  }
};

template <class Options>
std::vector<std::pair<std::string, ReportValue>> values_of(const Options& options) {
  std::vector<std::pair<std::string, ReportValue>> out;
  describe(options, Record{out});
  return out;
}

template <class Options>
class OptionsOfAMethod : public ::testing::Test {};
using EveryOptions = ::testing::Types<AutomaticOptions, CompressiveOptions, FilteredOptions, ExactOptions>;
TYPED_TEST_SUITE(OptionsOfAMethod, EveryOptions);

TYPED_TEST(OptionsOfAMethod, HaveTheValueOfEveryFieldThatIsGiven) {
  for (const bool last : {false, true}) {
    ClusterOptions given;
    describe(given, Change{last});
    const auto all = values_of(given);
    for (const auto& taken : values_of(options_of<TypeParam>(given))) {
      EXPECT_NE(std::find(all.begin(), all.end(), taken), all.end()) << taken.first;
    }
  }
}

TYPED_TEST(OptionsOfAMethod, KeepTheirDefaultsWhereTheValueIsLeftToTheMethod) {
  EXPECT_EQ(values_of(options_of<TypeParam>(ClusterOptions())), values_of(TypeParam()));
}

struct OtherType {
  double order = 1;
};
template <OptionsOf<OtherType> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"order", ""}, options.order);
}

TEST(MethodTable, AFieldOfAnotherTypeIsAnError) {
  expect_error(ErrorCode::internal, "ClusterOptions has no field order of this type",
               [] { options_of<OtherType>({}); });
}

}  // namespace
}  // namespace parsimony::cluster::method_table_test
