// parsimony operator: the verbs on analysis operators.
#include <array>
#include <utility>
#include <vector>

#include "support/exit_code.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr std::array kOperatorVerbs{
    Verb{"learn", "learn an operator from signals or images", add_operator_learn},
    Verb{"check", "test whether an operator can be trusted on signals", add_operator_check},
    Verb{"denoise", "remove noise from images or signals", add_operator_denoise},
    Verb{"inpaint", "fill in the missing pixels of an image", add_operator_inpaint}};

}  // namespace

Action add_operator(CLI::App& app) {
  app.require_subcommand(1);
  app.footer(
      "Example:\n"
      "  parsimony operator learn signals.npy --rows 24 --output operator.npy\n\n"
      "parsimony operator VERB --help shows the flags of a verb. An operator is a .npy array of\n"
      "float64 with its rows.");
  std::vector<std::pair<const CLI::App*, Action>> actions;
  for (const Verb& verb : kOperatorVerbs) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.summary);
    actions.emplace_back(sub, verb.add(*sub));
  }
  return [actions](Terminal& terminal) {
    for (const auto& [sub, action] : actions) {
      if (sub->parsed()) return action(terminal);
    }
    return static_cast<int>(kUsage);  // never: a verb is required
  };
}

}  // namespace parsimony::cli
