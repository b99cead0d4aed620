// parsimony completion: a script by which a shell completes the command.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "parsimony/core/error.hpp"
#include "parsimony/core/nearest_name.hpp"
#include "support/completion_scripts.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kCompletionExamples = R"(Examples:
  parsimony completion bash > ~/.local/share/bash-completion/completions/parsimony
  parsimony completion zsh > ~/.zfunc/_parsimony       (a folder of fpath)
  parsimony completion fish > ~/.config/fish/completions/parsimony.fish)";

int print_completion(const CLI::App& program, const std::string& shell, bool json) {
  const std::vector<ListedVerb> verbs = list_verbs(program);
  if (json) {
    print(json_text(verbs_json(verbs)));
  } else if (shell == "bash") {
    print(bash_completion(verbs));
  } else if (shell == "zsh") {
    print(zsh_completion(verbs));
  } else if (shell == "fish") {
    print(fish_completion(verbs));
  } else {
    const std::vector<std::string> shells{"bash", "zsh", "fish"};
    refuse(fmt::format("SHELL: '{}' is not one of {}{}", shell, fmt::join(shells, "|"),
                       nearest_name(shell, shells)));
  }
  return kDone;
}

}  // namespace

Action add_completion(CLI::App& app) {
  struct CompletionSettings {
    std::string shell = "bash";
    bool json = false;
  };
  const auto settings = std::make_shared<CompletionSettings>();
  app.footer(kCompletionExamples);
  app.add_option("SHELL", settings->shell, "bash, zsh or fish (default bash)")->type_name("");
  app.add_flag("--json", settings->json, "print all verbs, flags, ranges and defaults as JSON instead");
  return [settings, &app](Terminal&) {
    return print_completion(*app.get_parent(), settings->shell, settings->json);
  };
}

}  // namespace parsimony::cli
