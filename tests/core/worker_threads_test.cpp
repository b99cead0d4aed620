#include "core/worker_threads.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace parsimony::worker_threads_test {
namespace {

// How often each block of a loop is taken.
std::vector<int> taken(WorkerThreads& threads, std::int64_t count) {
  std::vector<int> out(count);
  threads.run(count, [&](std::int64_t i) { ++out[i]; });
  return out;
}

TEST(WorkerThreads, ManyThreadsTakeEachBlockOnce) {
  for (const int count : {1, 2, 4}) {
    WorkerThreads threads(count);
    for (const std::int64_t blocks : {0, 1, 2, 100}) {
      EXPECT_EQ(taken(threads, blocks), std::vector<int>(blocks, 1));
    }
    // Loops so short that workers are late for them.
    for (int loop = 0; loop < 2000; ++loop) ASSERT_EQ(taken(threads, 3), std::vector<int>(3, 1));
  }
}

TEST(WorkerThreads, OneExceptionOfManyThreadsIsThrown) {
  WorkerThreads threads(3);
  for (const std::int64_t wrong : {0, 7, 99}) {
    try {
      threads.run(100, [&](std::int64_t i) {
        if (i == wrong) throw std::runtime_error(std::to_string(i));
      });
      ADD_FAILURE();
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), std::to_string(wrong));
    }
    EXPECT_EQ(taken(threads, 10), std::vector<int>(10, 1));
  }
}

TEST(WorkerThreads, ALoopWithinALoopOfThreadsHasAllItsBlocks) {
  WorkerThreads threads(3);
  std::vector<int> sums(20);
  threads.run(
      20, [&](std::int64_t i) { threads.run(5, [&](std::int64_t j) { sums[i] += static_cast<int>(j); }); });
  EXPECT_EQ(sums, std::vector<int>(20, 10));
}

TEST(WorkerThreads, LoopsOfTwoThreadsAtOnceHaveAllTheirBlocks) {
  WorkerThreads threads(3);
  std::vector<int> other;
  std::thread caller([&] {
    for (int loop = 0; loop < 200; ++loop) other = taken(threads, 50);
  });
  for (int loop = 0; loop < 200; ++loop) ASSERT_EQ(taken(threads, 50), std::vector<int>(50, 1));
  caller.join();
  EXPECT_EQ(other, std::vector<int>(50, 1));
}

}  // namespace
}  // namespace parsimony::worker_threads_test
