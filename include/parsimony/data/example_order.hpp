// The order of the training examples.
#pragma once

#include <cstdint>
#include <vector>

namespace parsimony::data {

/// One permutation of the examples per epoch, drawn from (seed, epoch) alone: the example at a position does
/// not depend on earlier requests. Consecutive batches cover the permutations without gaps, across the ends
/// of epochs, so that all have the same size.
class ExampleOrder {
 public:
  /// Throws invalid_argument if there are no examples.
  ExampleOrder(std::int64_t examples, std::uint64_t seed);

  /// The examples at positions step · size to (step + 1) · size − 1.
  std::vector<std::int64_t> batch(std::int64_t step, std::int64_t size);

 private:
  void draw(std::int64_t epoch);

  std::uint64_t seed_;
  std::int64_t epoch_ = -1;  // epoch of the permutation in order_
  std::vector<std::int64_t> order_;
};

}  // namespace parsimony::data
