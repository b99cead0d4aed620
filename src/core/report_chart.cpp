// Implements report_chart.hpp.
#include "core/report_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace parsimony {
namespace {

constexpr std::int64_t kSteps = 600;
constexpr double kChartWidth = 640, kChartHeight = 150, kMargin = 8;

struct Reach {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();

  bool any() const { return low <= high; }
};

Reach reach_of(std::span<const double> values) {
  Reach reach;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    reach.low = std::min(reach.low, value);
    reach.high = std::max(reach.high, value);
  }
  return reach;
}

}  // namespace

std::string line_chart(std::span<const double> values) {
  Reach all = reach_of(values);
  if (!all.any()) return {};
  if (all.low > 0) all.low = 0;
  const auto count = std::ssize(values), steps = std::min(count, kSteps);
  // Halves, so that the difference of the largest floats is finite.
  const double range = all.high / 2 - all.low / 2;
  const auto y = [&](double value) {
    const double share = range > 0 ? (value / 2 - all.low / 2) / range : 0.5;
    return kMargin + (kChartHeight - 2 * kMargin) * (1 - share);
  };
  std::string line;
  bool draws = false;
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t begin = step * count / steps, end = (step + 1) * count / steps;
    const Reach part = reach_of(values.subspan(begin, end - begin));
    if (!part.any()) {
      draws = false;
      continue;
    }
    const double x =
        kMargin + (kChartWidth - 2 * kMargin) *
                      (steps > 1 ? static_cast<double>(step) / static_cast<double>(steps - 1) : 0.5);
    line += fmt::format("{}{:.1f} {:.1f}", draws ? "L" : "M", x, y(part.high));
    line += fmt::format("L{:.1f} {:.1f}", x, y(part.low));
    draws = true;
  }
  return fmt::format(R"(<div class="chart"><div class="ends"><span>{:.5g}</span><span>{:.5g}</span></div>)"
                     R"(<svg viewBox="0 0 {} {}" role="img"><path d="{}"/></svg></div>)",
                     all.high, all.low, kChartWidth, kChartHeight, line);
}

}  // namespace parsimony
