// Clusters a planted partition with the installed library, and solves a linear program by the module that it
// loads: all that a consumer needs works.
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <vector>

#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"
#include "parsimony/operators/certificate.hpp"
#include "parsimony/parsimony.hpp"

namespace {

// The exact test of a small operator decides, unless the library was built without a solver.
bool solves_linear_program() {
  parsimony::Matrix<double> rows(3, 2);
  parsimony::Matrix<float> signals(4, 2);
  for (int i = 0; i < 3; ++i) {
    rows(i, 0) = i == 0 ? 1 : -0.5;
    rows(i, 1) = i == 0 ? 0 : (i == 1 ? 0.8660254037844386 : -0.8660254037844386);
  }
  for (int j = 0; j < 4; ++j) {
    signals(j, 0) = static_cast<float>(-rows(j % 3, 1));
    signals(j, 1) = static_cast<float>(rows(j % 3, 0));
  }
  try {
    parsimony::operators::certify_operator(rows, signals, {.exact = true});
    return true;
  } catch (const parsimony::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return std::string_view(error.what()).find("has no solver") != std::string_view::npos;
  }
}

}  // namespace

int main() {
  if (!solves_linear_program()) return 1;
  parsimony::graph::BlockModelOptions model;
  model.nodes = 2000;
  model.clusters = 10;
  model.epsilon_ratio = 0.1;
  const auto planted = parsimony::graph::stochastic_block_model(model);

  const auto result = parsimony::cluster::cluster(planted.graph, {.clusters = model.clusters});

  std::vector<std::int64_t> sizes(10);
  for (const std::int32_t label : result.labels) ++sizes.at(static_cast<std::size_t>(label));
  for (const std::int64_t size : sizes) {
    if (size == 0) return 1;
  }
  const double ari = parsimony::graph::agreement(result.labels, planted.labels).adjusted_rand;
  std::printf("ARI %.3f\n", ari);
  return ari > 0.9 ? 0 : 1;
}
