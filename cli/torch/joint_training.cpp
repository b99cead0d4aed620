#include "torch/joint_training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "parsimony/core/context.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/output_file.hpp"
#include "support/exit_code.hpp"
#include "support/flags.hpp"

namespace parsimony::cli {
namespace {

[[noreturn]] void end_process(int exit_code) {
  std::fflush(nullptr);
  remove_temporary_files();
  std::_Exit(exit_code);
}

}  // namespace

int run_together(Terminal& terminal, const CLI::App& app,
                 const std::function<int(const train::TrainingProcesses&)>& body) {
  const train::Rendezvous where = train::rendezvous_of_environment();
  const auto others_failed = [&terminal](int exit_code, const std::string& message) {
    if (!message.empty()) {
      terminal.speak();
      terminal.error(message);
    }
    end_process(exit_code);
  };
  const std::unique_ptr<train::TrainingProcesses> processes = train::meet(where, others_failed);
  if (where.rank > 0) terminal.be_silent();
  // The message of the process that fails first; process 0 prints its own in the usual way.
  const auto fail = [&](const std::string& message, int code) {
    if (!processes->claim_failure(code)) end_process(code);
    if (where.rank == 0) return;
    terminal.speak();
    terminal.error(fmt::format("process {}: {}", where.rank, message));
    end_process(code);
  };
  try {
    const int code = body(*processes);
    processes->finish();
    return code;
  } catch (const Error& error) {
    const std::string message = in_flags(error.what(), app);
    fail(message, exit_code(error, message, app));
    throw;
  } catch (const std::bad_alloc&) {
    fail("needs more memory than there is; a smaller batch_size needs less", kFailed);
    throw;
  } catch (const std::exception& error) {
    fail(error.what(), kFailed);
    throw;
  }
}

int share_of_threads() {
  const char* beside = std::getenv("LOCAL_WORLD_SIZE");
  const int processes = beside == nullptr ? 1 : std::max(1, std::atoi(beside));
  return processes == 1 ? 0 : std::max(1, default_thread_count() / processes);
}

}  // namespace parsimony::cli
