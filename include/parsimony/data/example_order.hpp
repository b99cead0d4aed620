// The order in which examples are seen.
#pragma once

#include <cstdint>
#include <vector>

namespace parsimony::data {

/// Epoch by epoch a permutation of the examples, drawn by (seed, epoch) alone: what is seen at a place does
/// not depend on what was asked for before. Batches are cut from it end to end, over the ends of epochs, so
/// that all have the same size.
class ExampleOrder {
 public:
  /// Throws invalid_argument for no examples.
  ExampleOrder(std::int64_t examples, std::uint64_t seed);

  /// The examples at the places [step · size, (step + 1) · size).
  std::vector<std::int64_t> batch(std::int64_t step, std::int64_t size);

 private:
  void draw(std::int64_t epoch);

  std::uint64_t seed_;
  std::int64_t epoch_ = -1;  // whose permutation this is
  std::vector<std::int64_t> order_;
};

}  // namespace parsimony::data
