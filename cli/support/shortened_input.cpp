#include "support/shortened_input.hpp"

#include <unistd.h>

#include <csignal>
#include <string_view>

#include "core/files/mapped_file.hpp"
#include "parsimony/core/output_file.hpp"
#include "support/exit_code.hpp"

namespace parsimony::cli {
namespace {

// All that it calls may be called in a handler.
void say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// escaped() needs memory. Here every byte that is not ASCII has the form of one that is not UTF-8.
void say_name(std::string_view name) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const char hex[] = {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    say(byte < ' ' || byte >= 127 ? std::string_view(hex, sizeof hex) : std::string_view(&c, 1));
  }
}

extern "C" void end_run(int signal, siginfo_t* info, void*) {
  const char* const name = mapped_file_at(info->si_addr);
  if (name == nullptr) {
    std::signal(signal, SIG_DFL);  // the instruction is repeated, and ends the process
    return;
  }
  say(::isatty(STDERR_FILENO) != 0 ? "\r\x1b[Kparsimony: error: " : "parsimony: error: ");
  say_name(name);
  say(" became shorter while it was read\n");
  remove_temporary_files();
  _exit(kFailed);
}

}  // namespace

void end_when_input_is_shortened() {
  struct sigaction action {};
  action.sa_sigaction = end_run;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace parsimony::cli
