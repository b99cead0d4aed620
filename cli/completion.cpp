// parsimony completion: a script by which bash completes verbs, flags and file names.
#include <fmt/format.h>

#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Example:
  parsimony completion > ~/.local/share/bash-completion/completions/parsimony)";

struct Words {
  std::string verbs, flags;
};

void collect(const CLI::App& app, Words& words) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words.flags += " --" + name;
  }
  for (const CLI::App* verb : app.get_subcommands({})) {
    words.verbs += " " + verb->get_name();
    if (app.get_parent() != nullptr) collect(*verb, words);  // "generate sbm" takes the flags of sbm
  }
}

std::string script(const CLI::App& root) {
  std::string cases;
  const auto add_case = [&](const std::string& pattern, const CLI::App& app) {
    Words words;
    collect(app, words);
    cases += fmt::format("    {}) verbs='{}' flags='{}' ;;\n", pattern, words.verbs, words.flags);
  };
  for (const CLI::App* verb : root.get_subcommands({})) add_case(verb->get_name(), *verb);
  add_case("*", root);
  // Where neither list has the word, -o default completes file names.
  return "_parsimony() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} verb= verbs flags\n"
         "  ((COMP_CWORD > 1)) && verb=${COMP_WORDS[1]}\n"
         "  case $verb in\n" +
         cases +
         "  esac\n"
         "  [[ $word == -* ]] && verbs=$flags\n"
         "  COMPREPLY=($(compgen -W \"$verbs\" -- \"$word\"))\n"
         "}\n"
         "complete -o default -F _parsimony parsimony\n";
}

}  // namespace

Action add_completion(CLI::App& app) {
  app.footer(kExamples);
  return [&app](Terminal&) {
    print(script(*app.get_parent()));
    return kDone;
  };
}

}  // namespace parsimony::cli
