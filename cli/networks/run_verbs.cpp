// The verbs of parsimony-run, a program for machines that only run networks.
#include <array>

#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr std::array kRunVerbs{
    Verb{"run", "run texts or pictures through a network, from its codes", add_run}};

}  // namespace

std::span<const Verb> verbs() {
  return kRunVerbs;
}

}  // namespace parsimony::cli
