// Highway builds for AVX-512 with VBMI only where asked to, as the kernel does.
#define HWY_WANT_AVX3_DL
#include "kernels/table_lookup.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "kernels/every_target.hpp"
#include "kernels/lookup_tables.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::kernels::table_lookup_test {
namespace {

struct Case {
  Case(std::int64_t entries, int planes, std::int64_t groups_, std::int64_t count)
      : groups(groups_), order(count) {
    const std::int64_t columns = count + 3;
    const RandomStream stream(static_cast<std::uint64_t>(entries * 100 + groups * 10 + planes),
                              "test.lookup");
    std::iota(order.begin(), order.end(), 0);
    for (std::int64_t n = 0; n < count; ++n) {
      std::swap(order[n],
                order[static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(count), n))]);
    }
    table.resize(columns * planes * plane_bytes(entries) + 1);
    codes.resize(columns * groups * kLookupGroup + 1);
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = std::uint8_t(stream.below(256, 100000 + i));
    for (std::size_t i = 0; i < codes.size(); ++i)
      codes[i] = std::uint8_t(stream.below(entries, 10000000 + i));
    tables = {table.data() + 1, entries, planes};
  }

  // Multiples of a quarter below 2²² are exact in float32: there is nothing to round.
  std::vector<float> run(bool plain) const {
    std::vector<float> sums(groups * kLookupGroup + 2);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<float>(i % 13);
    const auto add = plain ? add_lookups_scalar : add_lookups;
    add(tables, codes.data() + 1, groups, order.data(), static_cast<std::int64_t>(order.size()), 0.25f,
        sums.data() + 1);
    return sums;
  }

  std::int64_t groups;
  std::vector<std::int32_t> order;
  std::vector<std::uint8_t> table, codes;
  LookupTables tables;
};

TEST(AddLookups, EqualTheScalarTwinOnEveryTarget) {
  for_targets([] {
    for (const std::int64_t entries : {16, 32, 64, 128, 256}) {
      for (const int planes : {1, 2}) {
        for (const std::int64_t groups : {1, 2, 3, 4, 5, 7, 8, 9, 15}) {
          for (const std::int64_t count : {0, 1, 2, 5, 67}) {
            const Case some(entries, planes, groups, count);
            ASSERT_EQ(some.run(false), some.run(true))
                << entries << ' ' << planes << ' ' << groups << ' ' << count;
          }
        }
      }
    }
  });
}

// As many as 16 bits hold, and no more.
TEST(AddLookups, HoldTheLargestSums) {
  for_targets([] {
    for (const int planes : {1, 2}) {
      Case most(256, planes, 2, kMostLookups);
      std::fill(most.table.begin(), most.table.end(), 255);
      const auto sums = most.run(false);
      for (std::int64_t i = 0; i < 2 * kLookupGroup; ++i) {
        ASSERT_EQ(sums[i + 1], float((i + 1) % 13) + 0.25f * kMostLookups * (planes == 1 ? 255 : 65535));
      }
    }
  });
}

TEST(LookupPlace, PairsTheHalvesOfAGroup) {
  std::set<std::int64_t> places;
  for (std::int64_t i = 0; i < kLookupGroup; ++i) {
    places.insert(lookup_place(i));
    EXPECT_EQ(lookup_place(i) % 2, i / 32);
    EXPECT_EQ(lookup_place(i) / 2, i % 32);
  }
  EXPECT_EQ(places.size(), std::size_t{kLookupGroup});
  EXPECT_EQ(*places.rbegin(), kLookupGroup - 1);
}

// Integers again, so that the order of the additions does not show.
template <class Code>
void expect_float_lookups(std::int64_t entries) {
  const RandomStream stream(5, "test.float");
  for (const std::int64_t groups : {1, 3}) {
    for (std::int64_t columns = 0; columns < 11; ++columns) {
      std::vector<float> tables(columns * entries);
      std::vector<Code> codes(columns * groups * kLookupGroup);
      for (std::size_t i = 0; i < tables.size(); ++i) tables[i] = float(stream.below(1001, i)) - 500;
      for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = Code(stream.below(entries, i + 1000000));
      std::vector<float> sums(groups * kLookupGroup, 3);
      add_float_lookups(tables.data(), entries, codes.data(), groups, columns, sums.data());
      for (std::int64_t o = 0; o < groups * kLookupGroup; ++o) {
        float expected = 3;
        for (std::int64_t c = 0; c < columns; ++c) {
          const auto code =
              codes[(c * groups + o / kLookupGroup) * kLookupGroup + lookup_place(o % kLookupGroup)];
          expected += tables[c * entries + code];
        }
        ASSERT_EQ(sums[o], expected);
      }
    }
  }
}

TEST(AddFloatLookups, SumTheEntriesUnderTheCodes) {
  expect_float_lookups<std::uint8_t>(256);
  expect_float_lookups<std::uint16_t>(1008);
}

// The tests above say nothing unless the targets are really switched.
TEST(TableLookup, HasTargetsToTest) {
  EXPECT_GT(hwy::SupportedAndGeneratedTargets().size(), 0u);
  EXPECT_GT(lookup_cost(256), 0);
}

}  // namespace
}  // namespace parsimony::kernels::table_lookup_test
