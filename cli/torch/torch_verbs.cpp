// The verbs of parsimony-torch.
#include <array>

#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr std::array kVerbs{Verb{"train", "train a network from a JSON recipe", add_train},
                            Verb{"evaluate", "measure accuracy or perplexity on held-out data", add_evaluate},
                            Verb{"quantize", "make a network smaller, put right by pictures", add_quantize}};

}  // namespace

std::span<const Verb> verbs() {
  return kVerbs;
}

}  // namespace parsimony::cli
