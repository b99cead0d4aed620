#include "parsimony/quant/weight_axes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::quant {
namespace {

// Calls move(place in the coded order, place in the model) for every value.
template <class Move>
void for_each_place(std::span<const std::int64_t> shape, const WeightAxes& axes, const Move& move) {
  std::vector<int> order = axes.outputs;
  order.insert(order.end(), axes.inputs.begin(), axes.inputs.end());
  const std::size_t dimensions = shape.size();
  std::vector<std::int64_t> strides(dimensions, 1), sides, steps;
  for (std::size_t i = dimensions - 1; i > 0; --i) strides[i - 1] = strides[i] * shape[i];
  for (const int dimension : order) {
    sides.push_back(shape[dimension]);
    steps.push_back(strides[dimension]);
  }
  const std::int64_t size = strides[0] * shape[0], last = sides.back(), step = steps.back();
  std::vector<std::int64_t> index(dimensions, 0);
  std::int64_t from = 0;
  for (std::int64_t to = 0; to < size; to += last) {
    for (std::int64_t i = 0; i < last; ++i) move(to + i, from + i * step);
    for (std::size_t d = dimensions - 1; d-- > 0;) {
      from += steps[d];
      if (++index[d] < sides[d]) break;
      from -= sides[d] * steps[d];
      index[d] = 0;
    }
  }
}

void check_size(std::span<const float> values, std::span<const std::int64_t> shape) {
  std::int64_t size = 1;
  for (const std::int64_t side : shape) size *= side;
  if (std::ssize(values) != size) {
    refuse(fmt::format("weight: shape {} comes with {}; must be {}", fmt::join(shape, " x "),
                       count_of(values.size(), "value"), size));
  }
}

}  // namespace

std::vector<std::int64_t> coded_shape(std::span<const std::int64_t> shape, const WeightAxes& axes) {
  if (axes.standard()) return {shape.begin(), shape.end()};
  std::vector<int> all = axes.outputs;
  all.insert(all.end(), axes.inputs.begin(), axes.inputs.end());
  std::sort(all.begin(), all.end());
  bool each_once = all.size() == shape.size() && !axes.outputs.empty() && !axes.inputs.empty();
  for (std::size_t i = 0; i < all.size() && each_once; ++i) each_once = all[i] == static_cast<int>(i);
  if (!each_once) {
    refuse(fmt::format("axes: outputs ({}) and inputs ({}) of {}; must name each dimension from 0 to {} once",
                       fmt::join(axes.outputs, ", "), fmt::join(axes.inputs, ", "),
                       count_of(shape.size(), "dimension"), static_cast<std::int64_t>(shape.size()) - 1));
  }
  std::vector<std::int64_t> coded{1};
  for (const int dimension : axes.outputs) coded[0] *= shape[dimension];
  for (const int dimension : axes.inputs) coded.push_back(shape[dimension]);
  return coded;
}

std::vector<float> to_coded_order(std::span<const float> values, std::span<const std::int64_t> shape,
                                  const WeightAxes& axes) {
  coded_shape(shape, axes);
  check_size(values, shape);
  if (axes.standard()) return {values.begin(), values.end()};
  std::vector<float> out(values.size());
  for_each_place(shape, axes, [&](std::int64_t to, std::int64_t from) { out[to] = values[from]; });
  return out;
}

std::vector<float> from_coded_order(std::span<const float> values, std::span<const std::int64_t> shape,
                                    const WeightAxes& axes) {
  coded_shape(shape, axes);
  check_size(values, shape);
  if (axes.standard()) return {values.begin(), values.end()};
  std::vector<float> out(values.size());
  for_each_place(shape, axes, [&](std::int64_t from, std::int64_t to) { out[to] = values[from]; });
  return out;
}

}  // namespace parsimony::quant
