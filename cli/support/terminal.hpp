// The terminal of the command: Ctrl-C, a progress bar, notes, warnings and errors.
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "parsimony/core/context.hpp"

namespace parsimony::cli {

/// While this object lives, the first SIGINT, SIGTERM or SIGHUP triggers the stop token. If the run has not
/// ended 0.15 seconds later, none of its files has appeared, and it has no unsaved work, the temporary files
/// are removed and the process ends with code 130, as it does for another signal more than half a second
/// after the first, unless its files are getting their names. Signals that the process was started to ignore
/// stay ignored. A run with unsaved work is told of 0.15 seconds after the first signal, by
/// set_teller().
///
/// All threads block these signals, and one thread waits for them, so that no work is done in a signal
/// handler. Create the object before any other thread. Where that thread cannot be started, a handler
/// triggers the token, and nothing ends the process before the run does.
class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  std::stop_token token() const { return stop_.get_token(); }
  void hear();  ///< a signal came
  /// tell gets, in the thread that waits for signals, a text about the work of a run that does not end at
  /// once.
  void set_teller(std::function<void(std::string_view)> tell);
  void end();  ///< The run has ended: does not return if this object is ending the process. Call it before
               ///< the last message.

 private:
  void watch();
  void give_up();
  void tell_unsaved();

  sigset_t signals_;
  std::stop_source stop_;
  std::chrono::steady_clock::time_point first_;
  std::atomic<bool> ended_{false};  // by end() or by give_up()
  bool has_ended_ = false;
  bool told_ = false;
  int signal_ = 0;  // the first one
  std::mutex tell_mutex_;
  std::function<void(std::string_view)> tell_;
  std::thread watcher_;
};

/// Writes everything to stderr. Draws the progress bar only on a terminal, in plain characters without
/// colour.
class Terminal {
 public:
  explicit Terminal(Interrupt& interrupt);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  /// Notes and warnings go through this function, which turns names of options into flags.
  void rename_options(std::function<std::string(std::string)> rename) { rename_ = std::move(rename); }
  /// The words of the command line, from the program's name on, and the verb that they name.
  void set_command(std::string verb, std::string command) {
    verb_ = std::move(verb);
    command_ = std::move(command);
  }
  const std::string& verb() const { return verb_; }
  const std::string& command() const { return command_; }
  const std::vector<std::string>& warnings() const { return warnings_; }  ///< so far
  void be_quiet() { quiet_ = true; }  ///< no bar and no notes; warnings and errors remain
  void note(std::string_view text);
  void warning(std::string_view text);
  void error(std::string_view text);
  /// Lets this process speak although it is not the first that mpirun has started, which alone does
  /// otherwise.
  void speak() { silent_ = false; }
  /// Leaves messages to another process.
  void be_silent() { silent_ = true; }

  /// A context that Ctrl-C stops and that reports here. The terminal must outlive it.
  Context context(int threads);

 private:
  using Clock = std::chrono::steady_clock;
  void progress(std::string_view stage, std::int64_t done, std::int64_t total);
  void line(std::string_view kind, std::string_view text);
  void clear_bar();

  Interrupt& interrupt_;
  std::function<std::string(std::string)> rename_;
  std::string verb_, command_;
  std::vector<std::string> warnings_;
  std::atomic<bool> quiet_{false};
  std::atomic<bool> silent_;
  bool has_bar_;
  std::mutex mutex_;  // a stage may report from several threads
  bool bar_drawn_ = false;
  std::string stage_;
  Clock::time_point stage_start_;
  Clock::time_point last_drawn_;
};

}  // namespace parsimony::cli
