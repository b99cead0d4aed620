#include "support/terminal.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "core/duration.hpp"
#include "core/files/output_gate.hpp"
#include "parsimony/core/output_file.hpp"
#include "support/escaped.hpp"
#include "support/exit_code.hpp"
#include "support/processes.hpp"

namespace parsimony::cli {
namespace {

bool is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

pthread_t watching;

// Libraries start threads before main() that do not block signals. Such a thread passes a signal on to the
// watcher.
extern "C" void pass_on(int signal) {
  pthread_kill(watching, signal);
}

Interrupt* without_watcher = nullptr;

// Where no thread can be started. request_stop() changes an atomic value only: no part of the program
// registers a callback.
extern "C" void hear_at_once(int) {
  without_watcher->hear();
}

}  // namespace

Interrupt::Interrupt() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  // A process under nohup, or in the background of a script, is started with these signals ignored.
  for (const int signal : {SIGINT, SIGHUP}) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
      sigaddset(&signals_, signal);
    }
  }
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  struct sigaction action {};
  try {
    watcher_ = std::thread([this] { watch(); });
    watching = watcher_.native_handle();
    action.sa_handler = pass_on;
  } catch (const std::system_error&) {
    without_watcher = this;
    action.sa_handler = hear_at_once;
  }
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    if (sigismember(&signals_, signal) == 1) sigaction(signal, &action, nullptr);
  }
  if (!watcher_.joinable()) pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
}

void Interrupt::watch() {
  constexpr timespec kPatience{.tv_sec = 0, .tv_nsec = 150'000'000};
  for (;;) {
    const int signal = stop_.stop_requested() ? sigtimedwait(&signals_, nullptr, &kPatience)
                                              : sigwaitinfo(&signals_, nullptr);
    if (ended_) return;
    if (signal > 0 && signal_ == 0) signal_ = signal;
    if (signal > 0) hear();
    if (signal < 0 && errno == EAGAIN) give_up();
  }
}

void Interrupt::hear() {
  using namespace std::chrono_literals;
  const auto now = std::chrono::steady_clock::now();
  if (stop_.request_stop()) {
    first_ = now;
  } else if (now - first_ >
                 500ms &&  // an earlier one is an echo: timeout(1) signals a process and then its group
             abandon_outputs(true)) {
    remove_temporary_files();
    _exit(kCancelled);
  }
}

// Some work does not look at the stop token: libraries that decode and pack, sorting, freeing gigabytes.
void Interrupt::give_up() {
  if (!abandon_outputs(false)) return tell_unsaved();  // the run ends as it says itself
  if (ended_.exchange(true)) return;
  remove_temporary_files();
  const std::string_view message =
      is_terminal() ? "\r\x1b[Kparsimony: error: cancelled\n" : "parsimony: error: cancelled\n";
  // One process of several is mostly ended because another one has failed, which has said why.
  if (started_processes() == 1) (void)!::write(STDERR_FILENO, message.data(), message.size());
  _exit(kCancelled);
}

void Interrupt::set_teller(std::function<void(std::string_view)> tell) {
  const std::lock_guard lock(tell_mutex_);
  tell_ = std::move(tell);
}

void Interrupt::tell_unsaved() {
  if (std::exchange(told_, true)) return;
  const std::string saving = saving_of_unsaved_work();
  pollfd errors{STDERR_FILENO, POLLOUT, 0};
  // A pipe that nobody empties would keep this thread from the next signal.
  if (saving.empty() || ::poll(&errors, 1, 0) != 1) return;
  const std::lock_guard lock(tell_mutex_);
  if (tell_) {
    tell_(fmt::format("stopping: {}; {} ends without it", saving,
                      signal_ == SIGINT ? "Ctrl-C again" : "another signal"));
  }
}

void Interrupt::end() {
  if (std::exchange(has_ended_, true)) return;
  while (ended_.exchange(true)) ::pause();  // the watcher is ending the process
}

Interrupt::~Interrupt() {
  end();
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    if (sigismember(&signals_, signal) == 1) std::signal(signal, SIG_DFL);
  }
  if (!watcher_.joinable()) return;
  // This signal only wakes the watcher, which then sees ended_.
  // NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread)
  pthread_kill(watcher_.native_handle(), SIGTERM);
  watcher_.join();
}

Terminal::Terminal(Interrupt& interrupt)
    : interrupt_(interrupt), silent_(process_number() > 0), has_bar_(is_terminal()) {
  interrupt_.set_teller([this](std::string_view text) { note(text); });
}

Terminal::~Terminal() {
  interrupt_.set_teller({});
}

Context Terminal::context(int threads) {
  Context context(threads);
  context.stop = interrupt_.token();
  context.on_log = [this](LogLevel level, std::string_view text) {
    const std::string message = rename_ ? rename_(std::string(text)) : std::string(text);
    level == LogLevel::info ? note(message) : warning(message);
  };
  if (has_bar_ && !quiet_) {
    context.on_progress = [this](std::string_view stage, std::int64_t done, std::int64_t total) {
      progress(stage, done, total);
    };
  }
  return context;
}

void Terminal::note(std::string_view text) {
  if (!quiet_) line("note", text);
}

void Terminal::warning(std::string_view text) {
  warnings_.emplace_back(text);
  line("warning", text);
}

void Terminal::error(std::string_view text) {
  line("error", text);
}

void Terminal::line(std::string_view kind, std::string_view text) {
  if (silent_) return;
  const std::string message = fmt::format("parsimony: {}: {}\n", kind, escaped(text));
  const std::lock_guard lock(mutex_);
  clear_bar();
  std::fwrite(message.data(), 1, message.size(), stderr);
}

void Terminal::clear_bar() {
  if (bar_drawn_) std::fputs("\r\x1b[K", stderr);
  bar_drawn_ = false;
}

void Terminal::progress(std::string_view stage, std::int64_t done, std::int64_t total) {
  using namespace std::chrono_literals;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (stage != stage_) {
    stage_ = stage;
    stage_start_ = now;
  }
  if (done >= total) return clear_bar();
  if (now - last_drawn_ < 100ms) return;
  last_drawn_ = now;

  constexpr int kWidth = 30;
  const double fraction = static_cast<double>(done) / static_cast<double>(total);
  const std::chrono::duration<double> elapsed = now - stage_start_;
  std::string text =
      fmt::format("\r{:<14.14} [{:<{}}] {:3.0f} %", stage,
                  std::string(static_cast<std::size_t>(fraction * kWidth), '#'), kWidth, 100 * fraction);
  if (done > 0 && elapsed > 1s)
    text += "  " + duration_text(elapsed.count() * (1 - fraction) / fraction) + " left";
  text += "\x1b[K";
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
  bar_drawn_ = true;
}

}  // namespace parsimony::cli
