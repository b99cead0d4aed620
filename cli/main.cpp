// parsimony VERB: parses the command line, runs the verb, and turns every error into one line and an exit
// code.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <new>
#include <sstream>
#include <string_view>
#include <system_error>

#include "parsimony/core/error.hpp"
#include "parsimony/core/nearest_name.hpp"
#include "parsimony/core/version.hpp"
#include "support/exit_code.hpp"
#include "support/flags.hpp"
#include "support/memory_guard.hpp"
#include "support/shortened_input.hpp"
#include "support/startup.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

// Help shows only the first long name of a flag and the name of a verb: other names are old ones, kept for
// scripts.
class Help : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool positional) const override {
    if (positional || option->get_lnames().empty()) return option->get_name(positional, true);
    const std::string letter = option->get_snames().empty() ? "" : "-" + option->get_snames().front() + ",";
    return letter + "--" + option->get_lnames().front();
  }
  std::string make_subcommand(const CLI::App* verb) const override {
    std::stringstream out;
    CLI::detail::format_help(out, verb->get_name(), verb->get_description(), get_column_width());
    return out.str();
  }
};

// The verb whose flags were parsed last: the inner one of "generate sbm".
const CLI::App& innermost(const CLI::App& app) {
  const auto verbs = app.get_subcommands();
  return verbs.empty() ? app : innermost(*verbs.back());
}

std::string path_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : path_of(*app.get_parent()) + " " + app.get_name();
}

// A line for a shell, with quotes around words that a shell would not take as they are.
std::string command_line(int argc, char** argv) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  std::string line = "parsimony";
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    line += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

// One line that says what is wrong. It names an unknown word before a missing argument, because a misspelt
// word is the likelier mistake.
std::string usage_message(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App& app = innermost(root);
  std::vector<std::string> verbs, flags;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  std::string message = error.what();
  const std::vector<std::string> unknown = root.remaining(true);
  if (!unknown.empty()) {
    const std::string& word = unknown.front();
    const bool is_flag = word.starts_with('-');
    message = fmt::format("unknown {} '{}'{}",
                          is_flag         ? "flag"
                          : verbs.empty() ? "argument"
                                          : "verb",
                          word, nearest_name(word, is_flag ? flags : verbs));
  } else if (!verbs.empty()) {
    message = fmt::format("a verb is missing: {}", fmt::join(verbs, ", "));
  } else if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const bool repeated = message.find("At Most") != message.npos;
    message =
        message.substr(0, message.find(':')) + (repeated ? " is given more than once" : " needs a value");
  }
  return fmt::format("{} (see {} --help)", message, path_of(app));
}

// An empty name of a file is that of a shell variable which is not set; it does not mean that the flag was
// left out.
void refuse_empty_names(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    const std::string type = option->get_type_name();
    if (!option->get_positional() && type != "FILE" && type != "FOLDER" && type != "PATH") continue;
    const std::vector<std::string>& words = option->results();
    if (std::find(words.begin(), words.end(), "") == words.end()) continue;
    refuse(fmt::format("{}: the name is empty", option->get_name()));
  }
}

// Where the message about a limit does not name it, or not the memory that was missing.
std::string source_of_limit(const std::string& message) {
  const std::string refused = refused_allocation();
  if (!refused.empty() && message.find(" in use") == message.npos) return fmt::format(" ({})", refused);
  const MemoryLimit limit = guarded_memory();
  if (limit.bytes == 0 || message.find("--max-memory") != message.npos) return "";
  const std::string_view source = limit.of_system() ? text_of(limit.source) : "--max-memory";
  return message.find(source) == message.npos ? fmt::format(" (set by {})", source) : "";
}

int run(int argc, char** argv) {
  Interrupt interrupt;
  Terminal terminal(interrupt);
  CLI::App app("Cluster large graphs, shrink neural networks, learn analysis operators.", "parsimony");
  app.set_version_flag("--version", [] { return "parsimony " + version(); });
  app.require_subcommand(1);
  app.footer(
      "parsimony VERB --help shows the flags of a verb and an example.\n"
      "Exit status: 0 done, 1 failed (files, data), 2 wrong usage, 3 not converged, 130 cancelled. No "
      "file is left half written.");
  const auto help = std::make_shared<Help>();
  help->column_width(30);
  app.formatter(help);
  std::vector<std::pair<CLI::App*, Action>> actions;
  try {
    for (const Verb& verb : verbs()) {
      CLI::App* sub = app.add_subcommand(verb.name, verb.summary);
      actions.emplace_back(sub, verb.add(*sub));
    }
    app.parse(argc, argv);
    for (const auto& [sub, action] : actions) {
      if (!sub->parsed()) continue;
      refuse_empty_names(innermost(app));
      terminal.set_command(path_of(innermost(app)), command_line(argc, argv));
      terminal.rename_options(
          [&app](std::string message) { return in_flags(std::move(message), innermost(app)); });
      return action(terminal);
    }
    return kUsage;  // never: a verb is required
  } catch (const CLI::Success& request) {
    return app.exit(request);  // --help, --version
  } catch (const CLI::ParseError& error) {
    terminal.error(usage_message(app, error));
    return kUsage;
  } catch (const Error& error) {
    interrupt.end();
    const std::string message = in_flags(error.what(), innermost(app));
    const bool limited = error.code() == ErrorCode::memory_limit;
    terminal.error(fmt::format("{}{}", message, limited ? source_of_limit(message) : ""));
    return exit_code(error, message, innermost(app));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::not_enough_memory) throw std::bad_alloc();
    terminal.error(fmt::format("internal error, please report it: {}", error.what()));
    return kFailed;
  } catch (const std::exception& error) {
    terminal.error(fmt::format("internal error, please report it: {}", error.what()));
    return kFailed;
  }
}

int main(int argc, char** argv) {
  try {
    prepare_process();
    end_when_input_is_shortened();
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    say_out_of_memory();
    return kFailed;
  }
}

}  // namespace
}  // namespace parsimony::cli

int main(int argc, char** argv) {
  return parsimony::cli::main(argc, argv);
}
