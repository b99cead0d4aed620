// Learns an analysis operator from signals and certifies it: example_learn_operator SIGNALS.npy OPERATOR.npy
#include <iostream>

#include "parsimony/operators/certify.hpp"
#include "parsimony/operators/learn.hpp"
#include "parsimony/operators/operator_file.hpp"

int main(int argc, char** argv) try {
  using namespace parsimony::operators;
  if (argc != 3) {
    std::cerr << "usage: example_learn_operator SIGNALS.npy OPERATOR.npy\n";
    return 2;
  }
  const auto signals = read_signals(argv[1]);  // a signal a row
  const LearnedOperator learned = learn_operator(signals, {.method = LearnMethod::untf, .rows = 24});
  write_operator(argv[2], learned.analysis_operator);
  std::cout << certify(learned.analysis_operator, signals, {.zero_tolerance = 1e-4}).explanation << '\n';
} catch (const parsimony::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
