// The verbs of parsimony-torch.
#include <array>

#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr std::array kVerbs{Verb{"train", "a network by a recipe", add_train},
                            Verb{"evaluate", "what a network is worth", add_evaluate}};

}  // namespace

std::span<const Verb> verbs() {
  return kVerbs;
}

}  // namespace parsimony::cli
