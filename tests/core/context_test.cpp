#include "parsimony/core/context.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace parsimony::context_test {
namespace {

double sum_of_squares(const Context& context) {
  return context.sum_blocks(1000, 10, [](std::int64_t begin, std::int64_t end) {
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += static_cast<double>(i * i);
    return sum;
  });
}

TEST(Context, SumsTheSameForAnyNumberOfThreads) {
  for (const int threads : {1, 2, 3, 8}) EXPECT_EQ(sum_of_squares(Context(threads)), 332833500) << threads;
}

#if !defined(PARSIMONY_SANITIZED)  // the sanitizers start threads of their own at the end of a process
// From here on this process starts no thread: its user has more than one, and no right to pass the limit.
void forbid_threads() {
  const rlimit one{1, 1};
  setrlimit(RLIMIT_NPROC, &one);
  if (geteuid() == 0 && setuid(65534) != 0) std::exit(3);
}

TEST(ContextDeathTest, GoesOnWithTheThreadsThatCanBeStarted) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        forbid_threads();
        Context context(4);
        std::string said;
        context.on_log = [&](LogLevel, std::string_view text) { said += text; };
        const bool right = sum_of_squares(context) == 332833500 && sum_of_squares(context) == 332833500;
        std::exit(!right ? 1 : said.find("only 1 of 4 threads") == said.npos ? 2 : 0);
      },
      ::testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace parsimony::context_test
