#include <iostream>

#include "parsimony/core/npy.hpp"
#include "parsimony/operators/geometric_learning.hpp"
#include "parsimony/operators/operator_file.hpp"

int main(int, char** argv) {
  const auto signals = parsimony::read_npy_matrix(argv[1]);  // a signal a row
  const auto learned = parsimony::operators::learn_geometric(signals, {.atoms = 24});
  parsimony::operators::write_operator(argv[2], learned.analysis);
  std::cout << learned.report.to_json() << '\n';
}
