// Work in a child process: its ends, and the memory that comes back.
#include "operators/solvers/child_process.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <stdexcept>
#include <stop_token>

#include "parsimony/core/error.hpp"

namespace parsimony::operators::child_process_test {
namespace {

TEST(ChildProcess, GivesBackOnlyWhatItWritesIntoSharedMemory) {
  const SharedMemory memory(sizeof(int));
  auto* const shared = ::new (memory.data()) int(1);
  int own = 1;
  const ChildEnd end = run_in_child(
      [&] {
        *shared = 2;
        own = 2;
      },
      Context());
  EXPECT_EQ(end, ChildEnd::done);
  EXPECT_EQ(*shared, 2);
  EXPECT_EQ(own, 1);
}

TEST(ChildProcess, TellsALackOfMemoryFromAnyOtherEnd) {
  EXPECT_EQ(run_in_child([] { throw std::bad_alloc(); }, Context()), ChildEnd::out_of_memory);
  EXPECT_EQ(run_in_child([] { throw std::runtime_error("no"); }, Context()), ChildEnd::failed);
  EXPECT_EQ(run_in_child([] { std::abort(); }, Context()), ChildEnd::failed);
}

TEST(ChildProcess, IsKilledWhenTheCallerCancels) {
  std::stop_source source;
  Context context;
  context.stop = source.get_token();
  source.request_stop();
  try {
    run_in_child(
        [] {
          for (;;) ::pause();
        },
        context);
    ADD_FAILURE() << "not cancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
}

}  // namespace
}  // namespace parsimony::operators::child_process_test
