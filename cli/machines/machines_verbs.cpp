// The verb of parsimony-mpi.
#include <array>
#include <memory>

#include "clustering/cluster_flags.hpp"
#include "machines/machines.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr std::array kVerbs{Verb{"cluster", "find the clusters of a graph over many machines", add_cluster}};

}  // namespace

Action add_cluster(CLI::App& app) {
  const auto settings = std::make_shared<ClusterSettings>();
  add_cluster_flags(app, *settings);
  return [settings, &app](Terminal& terminal) {
    settle_cluster_flags(app, *settings);
    return run_cluster_on_machines(*settings, app, terminal);
  };
}

std::span<const Verb> verbs() {
  return kVerbs;
}

}  // namespace parsimony::cli
