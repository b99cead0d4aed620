// Implements float32_points() and less_shift() of parsimony/graph/points.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "core/count_of.hpp"
#include "graph/points/distinct_rows.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/points.hpp"

namespace parsimony::graph {
namespace {

constexpr std::int64_t kRoundedRows = 1 << 12;  // in a block
constexpr std::int64_t kMedianRows = 4096;
constexpr double kFarAway = 4;  // times the spread: float32 then loses two bits, all that the rest bears

bool all_exact_in_float32(MatrixView<const double> points, const Context& context) {
  std::atomic<bool> exact{true};
  context.for_blocks(points.rows, kRoundedRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end && exact; ++i) {
      const auto row = points.row(i);
      if (std::any_of(row.begin(), row.end(), [](double value) {
            return std::isfinite(value) && static_cast<double>(static_cast<float>(value)) != value;
          })) {
        exact = false;
      }
    }
  });
  return exact;
}

double median_of(std::vector<double>& values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The medians of the columns; none if float32 has digits enough where the points are.
std::vector<double> shift_of(MatrixView<const double> points, const Context& context) {
  const std::int64_t count = std::min(points.rows, kMedianRows);
  std::vector<double> medians(points.cols), deviations(points.cols);
  context.for_blocks(points.cols, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> values;
    for (std::int64_t j = begin; j < end; ++j) {
      values.clear();
      for (std::int64_t s = 0; s < count; ++s) {
        const double value = points(points.rows * s / count, j);
        if (std::isfinite(value)) values.push_back(value);
      }
      medians[j] = median_of(values);
      for (double& value : values) value = std::abs(value - medians[j]);
      deviations[j] = median_of(values);
    }
  });
  double distance = 0, spread = 0;
  for (std::int64_t j = 0; j < points.cols; ++j) {
    distance = std::hypot(distance, medians[j]);
    spread = std::hypot(spread, deviations[j]);
  }
  return distance > kFarAway * spread ? medians : std::vector<double>{};
}

template <class T>
Matrix<float> rounded(MatrixView<const T> points, std::span<const double> shift, const Context& context) {
  if (!shift.empty() && static_cast<std::int64_t>(shift.size()) != points.cols) {
    refuse(fmt::format("shift: {} for rows of {}", count_of(shift.size(), "value"), points.cols));
  }
  Matrix<float> out(points.rows, points.cols);
  context.for_blocks(points.rows, kRoundedRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t j = 0; j < points.cols; ++j) {
        const double value = shift.empty() ? points(i, j) : points(i, j) - shift[j];
        if (std::isfinite(value) && std::abs(value) > std::numeric_limits<float>::max()) {
          refuse(
              fmt::format("row {} of the points has the value {} in column {}, beyond float32; scale the "
                          "points down",
                          i, points(i, j), j));
        }
        out(i, j) = static_cast<float>(value);
      }
    }
  });
  return out;
}

}  // namespace

Points float32_points(MatrixView<const double> points, Metric metric, const Context& context) {
  Points out;
  const bool exact = points.rows == 0 || all_exact_in_float32(points, context);
  if (!exact && metric != Metric::cosine) out.shift = shift_of(points, context);
  out.rows = rounded(points, out.shift, context);
  if (exact || points.rows > std::numeric_limits<std::int32_t>::max()) return out;
  const std::int64_t before = distinct_rows(points, context).count();
  const std::int64_t after = distinct_rows<float>(out.rows.view(), context).count();
  if (after < before) {
    context.log(LogLevel::warning,
                fmt::format("points: only {} of {} {} still different in float32, in which they are "
                            "compared; rows far apart, or a column far wider than the others, take the "
                            "digits: cluster the parts alone, or scale the columns",
                            after, count_of(before, "different row"), noun_of(after, "is", "are")));
  }
  return out;
}

Matrix<float> less_shift(MatrixView<const double> points, std::span<const double> shift,
                         const Context& context) {
  return rounded(points, shift, context);
}

Matrix<float> less_shift(MatrixView<const float> points, std::span<const double> shift,
                         const Context& context) {
  return rounded(points, shift, context);
}

}  // namespace parsimony::graph
