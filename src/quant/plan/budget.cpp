#include "quant/plan/budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::quant {

Choices lower_hull(const std::vector<Candidate>& candidates) {
  Choices order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(candidates[a].bytes, candidates[a].error) <
           std::pair(candidates[b].bytes, candidates[b].error);
  });
  const auto slope = [&](std::size_t a, std::size_t b) {
    return (candidates[a].error - candidates[b].error) /
           static_cast<double>(candidates[b].bytes - candidates[a].bytes);
  };
  Choices hull;
  for (const std::size_t next : order) {
    if (!hull.empty() && candidates[next].error >= candidates[hull.back()].error) continue;
    while (hull.size() > 1 && slope(hull[hull.size() - 2], hull.back()) <= slope(hull.back(), next))
      hull.pop_back();
    hull.push_back(next);
  }
  return hull;
}

namespace {

struct Step {
  std::size_t layer = 0, position = 0;  // on the hull, after the step
  double gain = 0;                      // error that a byte saves
  std::int64_t bytes = 0;
};

}  // namespace

Choices choose_under_budget(const std::vector<std::vector<Candidate>>& layers, std::int64_t limit,
                            const std::function<std::int64_t(const Choices&)>& size) {
  std::vector<Choices> hulls;
  std::vector<Step> steps;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const auto& candidates = layers[layer];
    hulls.push_back(lower_hull(candidates));
    const Choices& hull = hulls.back();
    for (std::size_t i = 1; i < hull.size(); ++i) {
      const Candidate &from = candidates[hull[i - 1]], &to = candidates[hull[i]];
      const std::int64_t bytes = to.bytes - from.bytes;
      steps.push_back({layer, i, (from.error - to.error) / static_cast<double>(bytes), bytes});
    }
  }
  // Gains fall along a hull, so the sorted steps of a layer stay in their order.
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.gain > b.gain; });

  std::vector<std::size_t> positions;
  const auto chosen = [&] {
    Choices choices(layers.size());
    for (std::size_t layer = 0; layer < layers.size(); ++layer)
      choices[layer] = hulls[layer][positions[layer]];
    return choices;
  };
  const auto size_after = [&](std::size_t count) {
    positions.assign(layers.size(), 0);
    for (std::size_t i = 0; i < count; ++i) positions[steps[i].layer] = steps[i].position;
    return size(chosen());
  };
  std::int64_t reached = size_after(0);
  if (reached > limit) {
    refuse(
        fmt::format("budget: {}; the least that this model takes is {}", count_of(limit, "byte"), reached));
  }
  std::size_t fits = 0, beyond = steps.size() + 1;
  while (beyond - fits > 1) {
    const std::size_t middle = fits + (beyond - fits) / 2;
    (size_after(middle) <= limit ? fits : beyond) = middle;
  }
  reached = size_after(fits);
  for (std::size_t i = fits; i < steps.size(); ++i) {
    const Step& step = steps[i];
    std::size_t& position = positions[step.layer];
    constexpr std::int64_t kHeader = 256;  // a step may shorten the header by about as many bytes
    if (position + 1 != step.position || reached + step.bytes > limit + kHeader) continue;
    ++position;
    const std::int64_t after = size(chosen());
    if (after <= limit) {
      reached = after;
    } else {
      --position;
    }
  }
  return chosen();
}

}  // namespace parsimony::quant
