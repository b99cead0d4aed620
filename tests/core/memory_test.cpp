#include "parsimony/core/memory.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "core/files/compression.hpp"
#include "expect_error.hpp"
#include "limited_memory.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony::memory_test {
namespace {

constexpr std::int64_t kBlock = std::int64_t{64} << 20;

TEST(Memory, InUseAndPeakFollowWhatIsTouched) {
#ifdef PARSIMONY_SANITIZED
  GTEST_SKIP() << "a sanitizer's memory counts too";
#endif
  const std::int64_t before = memory_in_use();
  if (before == 0) GTEST_SKIP() << "the system does not tell";
  {
    const std::vector<char> block(kBlock, 1);
    EXPECT_GT(memory_in_use(), before + kBlock * 9 / 10) << block[0];
  }
  EXPECT_LT(memory_in_use(), before + kBlock / 10);
  EXPECT_GT(peak_memory(), before + kBlock * 9 / 10);
}

TEST(Memory, RequirementsAreComparedWithWhatIsLeft) {
  Context context = testing::limited_memory(kBlock);
  context.require_memory(kBlock / 2, "half of it");
  EXPECT_GT(context.memory_estimate(), context.memory.bytes - kBlock);
  EXPECT_LE(context.memory_estimate(), context.memory.bytes);
  EXPECT_GT(context.memory_left(), kBlock / 2);
  expect_error(ErrorCode::memory_limit, "max_memory: all of it needs about",
               [&] { context.require_memory(2 * kBlock, "all of it", "less needs less"); });
  EXPECT_EQ(memory_of(context).estimate, context.memory_estimate()) << "also of what was refused";
  context.memory.of_system = true;
  expect_error(ErrorCode::memory_limit, "of this container or cgroup; less needs less",
               [&] { context.require_memory(2 * kBlock, "all of it", "less needs less"); });
  context.memory = {};
  EXPECT_EQ(context.memory_left(), 0);
  context.require_memory(std::int64_t{1} << 62, "more than there is");  // no limit
}

TEST(Memory, FilesMayExpandWithoutALimitSet) {
  EXPECT_EQ(expansion_limit(0), std::int64_t{1} << 31);
  EXPECT_EQ(expansion_limit(1 << 20), std::int64_t{1} << 31);
  EXPECT_EQ(expansion_limit(1 << 24), std::int64_t{250} << 24);
  expect_error(ErrorCode::memory_limit, "a.gz: would expand to more than 5 bytes",
               [] { throw_expands("a.gz", 5); });
}

}  // namespace
}  // namespace parsimony::memory_test
