#include "parsimony/operators/atlas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/count_of.hpp"
#include "operators/frames/checks.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::operators {
namespace {

constexpr double kMostPixels = 1 << 28;

[[noreturn]] void refuse_atlas(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, "atlas of an operator: " + message);
}

std::int64_t side_of(MatrixView<const double> analysis) {
  const auto side = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(analysis.cols))));
  if (analysis.rows < 1 || analysis.cols < 1 || side * side != analysis.cols) {
    refuse_atlas(fmt::format("the operator is {} x {}; it needs rows, each of p^2 values of a square patch",
                             analysis.rows, analysis.cols));
  }
  return side;
}

}  // namespace

double roughness(MatrixView<const double> filter) {
  double differences = 0, squares = 0;
  for (std::int64_t y = 0; y < filter.rows; ++y) {
    for (std::int64_t x = 0; x < filter.cols; ++x) {
      const double value = filter(y, x);
      const double right = x + 1 < filter.cols ? filter(y, x + 1) - value : 0;
      const double below = y + 1 < filter.rows ? filter(y + 1, x) - value : 0;
      differences += right * right + below * below;
      squares += value * value;
    }
  }
  return squares > 0 ? differences / squares : 0;
}

std::vector<std::int64_t> order_by_roughness(MatrixView<const double> analysis) {
  const std::int64_t side = side_of(analysis);
  std::vector<double> measures(analysis.rows);
  for (std::int64_t i = 0; i < analysis.rows; ++i)
    measures[i] = roughness({analysis.row_data(i), side, side});
  std::vector<std::int64_t> order(analysis.rows);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return measures[a] < measures[b]; });
  return order;
}

Image atlas(MatrixView<const double> analysis, const AtlasOptions& options) {
  validate_fields(options);
  const std::int64_t side = side_of(analysis), pixels = options.pixels;
  check_finite(analysis, "atlas of an operator");
  std::vector<std::int64_t> order(analysis.rows);
  std::iota(order.begin(), order.end(), 0);
  if (options.by_frequency) order = order_by_roughness(analysis);

  const std::int64_t columns =
      options.columns > 0
          ? std::min(options.columns, analysis.rows)
          : static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(analysis.rows))));
  const std::int64_t lines = (analysis.rows + columns - 1) / columns, pitch = (side + 1) * pixels;
  if (static_cast<double>(lines * pitch + pixels) * static_cast<double>(columns * pitch + pixels) >
      kMostPixels) {
    refuse_atlas(fmt::format("{} of {} x {} values, drawn as squares of {} pixels, {} more than 2^28 pixels",
                             count_of(analysis.rows, "tile"), side, side, pixels,
                             noun_of(analysis.rows, "is", "are")));
  }
  Image out;
  out.channels.emplace_back(lines * pitch + pixels, columns * pitch + pixels);
  Matrix<float>& grey = out.channels.front();
  std::fill_n(grey.data(), grey.size(), static_cast<float>(options.background));
  for (std::int64_t tile = 0; tile < analysis.rows; ++tile) {
    const auto row = analysis.row(order[tile]);
    double largest = 0;
    for (const double v : row) largest = std::max(largest, std::abs(v));
    const std::int64_t top = tile / columns * pitch + pixels, left = tile % columns * pitch + pixels;
    for (std::int64_t y = 0; y < side * pixels; ++y) {
      for (std::int64_t x = 0; x < side * pixels; ++x) {
        const double value = largest > 0 ? row[y / pixels * side + x / pixels] / largest : 0;
        grey(top + y, left + x) = static_cast<float>(127.5 + 127.5 * value);
      }
    }
  }
  return out;
}

}  // namespace parsimony::operators
