#include "parsimony/data/example_order.hpp"

#include <numeric>
#include <utility>

#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::data {

ExampleOrder::ExampleOrder(std::int64_t examples, std::uint64_t seed) : seed_(seed) {
  if (examples < 1) refuse("examples: there are none to train on");
  order_.resize(examples);
}

void ExampleOrder::draw(std::int64_t epoch) {
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  const RandomStream random(seed_, "train.order", static_cast<std::uint64_t>(epoch));
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.below(i, i)]);
  epoch_ = epoch;
}

std::vector<std::int64_t> ExampleOrder::batch(std::int64_t step, std::int64_t size) {
  const std::int64_t examples = std::ssize(order_);
  std::vector<std::int64_t> out(size);
  for (std::int64_t i = 0; i < size; ++i) {
    const std::int64_t place = step * size + i;
    if (place / examples != epoch_) draw(place / examples);
    out[i] = order_[place % examples];
  }
  return out;
}

}  // namespace parsimony::data
