#include "core/files/output_gate.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "parsimony/core/file.hpp"
#include "temporary_directory.hpp"

namespace parsimony::output_gate_test {
namespace {

// The gate belongs to the process, so that each test has its own.
class OutputGateDeathTest : public ::testing::Test {
 protected:
  OutputGateDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

[[noreturn]] void exit_if(bool right) {
  _exit(right ? 0 : 1);
}

TEST_F(OutputGateDeathTest, IsClosedToTheEndOfTheProcessWhileFilesAppear) {
  EXPECT_EXIT(
      {
        bool during = true;
        {
          const Appearing now;
          during = abandon_outputs(false) || abandon_outputs(true);
        }
        const bool after = !abandon_outputs(false) && abandon_outputs(true);
        exit_if(!during && after);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(OutputGateDeathTest, LetsNoFileAppearOnceTheOutputsAreAbandoned) {
  const TemporaryDirectory directory;
  const auto path = directory.file("a", "old");
  EXPECT_EXIT(
      {
        if (!abandon_outputs(false) || !abandon_outputs(false)) _exit(1);
        std::thread([] {
          std::this_thread::sleep_for(std::chrono::milliseconds(100));
          _exit(0);
        }).detach();
        write_file(path, "new");
        _exit(2);
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(directory.content(path), "old");
}

TEST_F(OutputGateDeathTest, IsPassedOnceAFileHasAppeared) {
  const TemporaryDirectory directory;
  EXPECT_EXIT(
      {
        write_file(directory / "a", "new");
        exit_if(!abandon_outputs(false));
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(OutputGateDeathTest, DoesNotCountACheckpointAndWaitsForUnsavedWork) {
  const TemporaryDirectory directory;
  EXPECT_EXIT(
      {
        {
          const SavingState saving;
          write_file(directory / "checkpoint", "state");
        }
        {
          const UnsavedWork unsaved;
          if (abandon_outputs(false)) _exit(1);
        }
        exit_if(abandon_outputs(false));
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(
      {
        const UnsavedWork unsaved;
        exit_if(abandon_outputs(true));
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(OutputGate, UnsavedWorkSaysHowItIsSavedAsLongAsItLives) {
  EXPECT_EQ(saving_of_unsaved_work(), "");
  {
    const UnsavedWork outer("writing a");
    EXPECT_EQ(saving_of_unsaved_work(), "writing a");
    {
      const UnsavedWork inner("writing b"), silent;
      EXPECT_EQ(saving_of_unsaved_work(), "writing b");
    }
    EXPECT_EQ(saving_of_unsaved_work(), "writing a");
  }
  EXPECT_EQ(saving_of_unsaved_work(), "");
}

}  // namespace
}  // namespace parsimony::output_gate_test
