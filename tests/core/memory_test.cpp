#include "parsimony/core/memory.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
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
  context.memory.source = LimitSource::cgroup;
  expect_error(ErrorCode::memory_limit, "of this container or cgroup; less needs less",
               [&] { context.require_memory(2 * kBlock, "all of it", "less needs less"); });
  context.memory = {};
  EXPECT_EQ(context.memory_left(), 0);
  context.require_memory(std::int64_t{1} << 62, "more than there is");  // no limit
}

TEST(Memory, ALimitOfAddressesLeavesAMarginForLibraries) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  if (before.rlim_cur != RLIM_INFINITY) GTEST_SKIP() << "there is a limit already";
  std::ifstream statm("/proc/self/statm");
  std::int64_t pages = 0;
  if (!(statm >> pages)) GTEST_SKIP() << "the system does not tell";
  rlimit low = before, stack{};
  ASSERT_EQ(getrlimit(RLIMIT_STACK, &stack), 0);
  const std::int64_t each = stack.rlim_cur == RLIM_INFINITY ? kBlock / 8 : std::int64_t(stack.rlim_cur);
  const std::int64_t stacks = default_thread_count() * each;
  low.rlim_cur = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE) + stacks + 5 * kBlock);
  ASSERT_EQ(setrlimit(RLIMIT_AS, &low), 0);
  const MemoryLimit found = system_memory_limit(), low_flag = memory_limit(1),
                    high_flag = memory_limit(1LL << 60);
  setrlimit(RLIMIT_AS, &before);
  if (found.source == LimitSource::cgroup) GTEST_SKIP() << "the limit of this container is lower";
  EXPECT_EQ(found.source, LimitSource::address_space);
  EXPECT_EQ(high_flag.source, LimitSource::address_space) << "the lower limit counts";
  EXPECT_EQ(low_flag.source, LimitSource::caller);
  EXPECT_EQ(low_flag.bytes, 1);
  // 320 MiB beside the stacks: 256 for what this process may use more, and the margin.
  EXPECT_NEAR(static_cast<double>(found.bytes - memory_in_use()), 4.0 * kBlock, 0.1 * kBlock);
  Context context;
  context.memory = found;
  expect_error(ErrorCode::memory_limit, "of the address space (ulimit -v)",
               [&] { context.require_memory(5 * kBlock, "too much"); });
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
