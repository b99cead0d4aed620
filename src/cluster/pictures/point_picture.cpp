#include "parsimony/cluster/point_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include "cluster/pictures/charts.hpp"
#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony::cluster {
namespace {

constexpr int kLeft = 60, kTop = 106, kMapWidth = 800, kMapHeight = 630;
constexpr double kListLeft = 910, kListRight = 1160, kListStep = 26;
constexpr std::size_t kListed = 24;
constexpr std::int64_t kPointsPerReport = 1 << 14;
constexpr std::int64_t kRowsOfAxes = 5000;
constexpr int kPowerIterations = 100;

// The first ten clusters have colours that cannot be mistaken; then come hues a golden section apart, in
// three degrees of brightness.
Color cluster_color(std::size_t rank) {
  constexpr std::array<Color, 10> kFirst{{{0.12, 0.47, 0.71},
                                          {0.90, 0.39, 0.05},
                                          {0.17, 0.60, 0.22},
                                          {0.80, 0.14, 0.22},
                                          {0.52, 0.34, 0.75},
                                          {0.00, 0.66, 0.70},
                                          {0.88, 0.42, 0.72},
                                          {0.66, 0.60, 0.08},
                                          {0.50, 0.32, 0.22},
                                          {0.35, 0.38, 0.44}}};
  if (rank < kFirst.size()) return kFirst[rank];
  const double turn = static_cast<double>(rank) * (std::numbers::phi - 1);
  const double hue = 6 * (turn - std::floor(turn));
  const auto channel = [&](double shift) {
    const double at = std::fmod(hue + shift, 6);
    return std::clamp(std::abs(at - 3) - 1, 0.0, 1.0);
  };
  const Color pure{channel(0), channel(4), channel(2)};
  constexpr std::array<Color, 3> kToward{{{0.1, 0.1, 0.15}, {0.5, 0.5, 0.5}, {0.9, 0.9, 0.9}}};
  return mix(pure, kToward[rank % 3], 0.35);
}

void check(MatrixView<const float> points, std::span<const std::int32_t> labels, std::int64_t clusters) {
  const auto refuse = [](const std::string& fault) {
    throw Error(ErrorCode::invalid_argument, "picture: " + fault);
  };
  if (points.rows < 1 || points.cols < 1) {
    refuse(fmt::format("an array of {} × {} holds no points", points.rows, points.cols));
  }
  if (std::ssize(labels) != points.rows) {
    refuse(fmt::format("{} for {}; must be as many", count_of(labels.size(), "label"),
                       count_of(points.rows, "point")));
  }
  for (std::int64_t i = 0; i < points.rows; ++i) {
    if (labels[i] < 0 || labels[i] >= clusters) {
      refuse(fmt::format("label {} of row {}; must be 0 to {}", labels[i], i, clusters - 1));
    }
    const auto row = points.row(i);
    if (!std::all_of(row.begin(), row.end(), [](float v) { return std::isfinite(v); })) {
      refuse(fmt::format("row {} has a coordinate that is not finite", i));
    }
  }
}

// The two axes of the plane that is drawn, and its caption.
struct Plane {
  std::vector<double> across, up;
  std::string caption;
};

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// The first two principal components of rows spread over the points, by powers of the covariance.
Plane principal_plane(MatrixView<const float> points, const Context& context) {
  const std::int64_t n = std::min(points.rows, kRowsOfAxes);
  const auto d = static_cast<std::size_t>(points.cols);
  Matrix<double> rows(n, points.cols);
  std::vector<double> mean(d);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto from = points.row(i * points.rows / n);
    for (std::size_t j = 0; j < d; ++j) mean[j] += from[j] / static_cast<double>(n);
    std::copy(from.begin(), from.end(), rows.row(i).begin());
  }
  double all = 0, kept = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < d; ++j) rows.row(i)[j] -= mean[j];
    all += dot(rows.row(i), rows.row(i));
  }
  Plane plane;
  for (std::vector<double>* axis : {&plane.across, &plane.up}) {
    const std::vector<double>& first = plane.across;
    const bool second = axis == &plane.up;
    axis->resize(d);
    for (std::size_t j = 0; j < d; ++j) (*axis)[j] = 1 + std::cos(static_cast<double>(7 * j + second));
    double variance = 0;
    for (int iteration = 0; iteration < kPowerIterations; ++iteration) {
      context.check_cancelled();
      if (second) {
        const double along = dot(*axis, first);
        for (std::size_t j = 0; j < d; ++j) (*axis)[j] -= along * first[j];
      }
      const double length = std::sqrt(dot(*axis, *axis));
      if (length == 0) break;  // the points lie on a line, or are one
      for (double& value : *axis) value /= length;
      if (iteration + 1 == kPowerIterations) break;
      std::vector<double> next(d);
      variance = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const double along = dot(rows.row(i), *axis);
        variance += along * along;
        for (std::size_t j = 0; j < d; ++j) next[j] += along * rows.row(i)[j];
      }
      if (variance == 0) break;
      *axis = std::move(next);
    }
    kept += variance;
    const auto largest = std::max_element(axis->begin(), axis->end(),
                                          [](double a, double b) { return std::abs(a) < std::abs(b); });
    if (*largest < 0) {
      for (double& value : *axis) value = -value;
    }
  }
  plane.caption = fmt::format("first two principal components of {}, {:.2f} of the variance",
                              count_of(d, "dimension"), all > 0 ? kept / all : 1);
  return plane;
}

Plane plane_of(MatrixView<const float> points, const Context& context) {
  if (points.cols == 1) return {{1}, {0}, "one dimension, spread over the height"};
  if (points.cols == 2) return {{1, 0}, {0, 1}, "two dimensions"};
  if (points.cols > 3) return principal_plane(points, context);
  // From 25 degrees above the first two axes, 60 degrees beside the first.
  const double beside = -std::numbers::pi / 3, above = 25 * std::numbers::pi / 180;
  return {{-std::sin(beside), std::cos(beside), 0},
          {-std::sin(above) * std::cos(beside), -std::sin(above) * std::sin(beside), std::cos(above)},
          "three dimensions, seen from above"};
}

struct Range {
  double low, high;
};

// The range from the smallest value to the largest, without a thousandth at either end if these take most of
// it.
Range range_of(std::vector<double> values) {
  const auto at = [&](double share) {
    const auto place = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + place, values.end());
    return values[static_cast<std::size_t>(place)];
  };
  const Range most{at(0.001), at(0.999)};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const bool far = *high - *low > 3 * (most.high - most.low) && most.high > most.low;
  return far ? most : Range{*low, *high};
}

// The place of a value on each axis, in pixels.
struct Map {
  Map(Range across, Range up) {
    constexpr double kMargin = 22;
    double wide = across.high - across.low, high = up.high - up.low;
    if (wide == 0) wide = high > 0 ? high : 1;
    if (high == 0) high = wide;
    x_scale = (kMapWidth - 2 * kMargin) / wide;
    y_scale = (kMapHeight - 2 * kMargin) / high;
    if (wide < 4 * high && high < 4 * wide) x_scale = y_scale = std::min(x_scale, y_scale);
    x_middle = (across.low + across.high) / 2;
    y_middle = (up.low + up.high) / 2;
  }
  double x(double value) const { return kMapWidth / 2.0 + (value - x_middle) * x_scale; }
  double y(double value) const { return kMapHeight / 2.0 - (value - y_middle) * y_scale; }

  double x_scale, y_scale, x_middle, y_middle;
};

// The sum of the colours of the points at every pixel of the map, and their number.
class Layer {
 public:
  Layer() : cells_(std::size_t{4} * kMapWidth * kMapHeight) {}

  void disc(double x, double y, double radius, Color color) {
    const int last_x = std::min(kMapWidth - 1, static_cast<int>(x + radius + 1));
    const int last_y = std::min(kMapHeight - 1, static_cast<int>(y + radius + 1));
    for (int row = std::max(0, static_cast<int>(y - radius - 1)); row <= last_y; ++row) {
      for (int column = std::max(0, static_cast<int>(x - radius - 1)); column <= last_x; ++column) {
        const double away = std::hypot(column + 0.5 - x, row + 0.5 - y);
        const double cover = std::clamp(radius + 0.5 - away, 0.0, 1.0);
        if (cover == 0) continue;
        double* cell = &cells_[std::size_t{4} * static_cast<std::size_t>(row * kMapWidth + column)];
        cell[0] += cover * color.red;
        cell[1] += cover * color.green;
        cell[2] += cover * color.blue;
        cell[3] += cover;
      }
    }
  }

  void draw(Canvas& canvas) const {
    std::vector<double> covered;
    for (std::size_t cell = 0; cell < cells_.size(); cell += 4) {
      if (cells_[cell + 3] > 0) covered.push_back(cells_[cell + 3]);
    }
    if (covered.empty()) return;
    const auto most = covered.begin() + static_cast<std::ptrdiff_t>(covered.size() - 1) * 99 / 100;
    std::nth_element(covered.begin(), most, covered.end());
    const double high = std::max(1.0, *most);
    for (std::size_t cell = 0; cell < cells_.size(); cell += 4) {
      const double count = cells_[cell + 3];
      if (count == 0) continue;
      // Half the ink for a single point, the rest by the logarithm of how many.
      const double ink =
          std::min(1.0, count) * std::min(1.0, 0.5 + 0.5 * std::log1p(count) / std::log1p(high));
      const Color color{cells_[cell] / count, cells_[cell + 1] / count, cells_[cell + 2] / count};
      const auto pixel = static_cast<int>(cell / 4);
      const int column = pixel % kMapWidth, row = pixel / kMapWidth;
      const double x = kLeft + column, y = kTop + row;
      canvas.fill(x, y, x + 1, y + 1, mix({1, 1, 1}, color, ink));
    }
  }

 private:
  std::vector<double> cells_;
};

// The corners of the box of three-dimensional points as they stand on the plane; bit j: the upper end of axis
// j.
std::array<std::array<double, 2>, 8> box_corners(MatrixView<const float> points, const Plane& plane) {
  std::array<std::array<double, 2>, 8> corners{};
  std::vector<double> values(static_cast<std::size_t>(points.rows));
  for (std::size_t j = 0; j < 3; ++j) {
    for (std::int64_t i = 0; i < points.rows; ++i) values[i] = points(i, static_cast<std::int64_t>(j));
    const Range side = range_of(values);
    for (std::size_t c = 0; c < 8; ++c) {
      const double value = (c >> j & 1U) != 0 ? side.high : side.low;
      corners[c][0] += plane.across[j] * value;
      corners[c][1] += plane.up[j] * value;
    }
  }
  return corners;
}

void draw_box(Canvas& canvas, const std::array<std::array<double, 2>, 8>& corners, const Map& map) {
  for (std::size_t c = 0; c < 8; ++c) {
    for (std::size_t j = 0; j < 3; ++j) {
      if ((c >> j & 1U) != 0) continue;
      const auto &from = corners[c], &to = corners[c | std::size_t{1} << j];
      canvas.stroke(kLeft + map.x(from[0]), kTop + map.y(from[1]), kLeft + map.x(to[0]), kTop + map.y(to[1]),
                    1.2, kPale);
    }
  }
}

void draw_list(Canvas& canvas, const std::vector<std::int64_t>& order, std::span<const std::int64_t> sizes) {
  canvas.text(kListLeft, kTop + 10, "points of each cluster", 12, kInk);
  const std::size_t listed = order.size() <= kListed ? order.size() : kListed - 1;
  const auto largest = static_cast<double>(sizes[order.front()]);
  for (std::size_t rank = 0; rank < listed; ++rank) {
    const double y = kTop + 26 + kListStep * static_cast<double>(rank);
    const std::int64_t size = sizes[order[rank]];
    const double room = kListRight - kListLeft - 145;
    canvas.text(kListLeft + 34, y + 13, std::to_string(order[rank]), 10, kFaint, Canvas::Align::right);
    canvas.fill(kListLeft + 46, y + 2,
                kListLeft + 46 + std::max(3.0, room * static_cast<double>(size) / largest), y + 15,
                cluster_color(rank));
    canvas.text(kListRight, y + 13, grouped(size), 10, kFaint, Canvas::Align::right);
  }
  if (listed == order.size()) return;
  canvas.text(kListLeft + 46, kTop + 39 + kListStep * static_cast<double>(listed),
              fmt::format("and {} more", grouped(static_cast<std::int64_t>(order.size() - listed))), 10,
              kFaint);
}

}  // namespace

std::string point_picture(MatrixView<const float> points, std::span<const std::int32_t> labels,
                          std::int64_t clusters, const Context& context) {
  check(points, labels, clusters);
  const std::int64_t n = points.rows;
  // Two coordinates a point; the sums and the covers of the map, the picture, its samples and the PNG.
  constexpr std::int64_t kMap = std::int64_t{5} * 8 * kMapWidth * kMapHeight;
  context.require_memory(16 * n + kMap + std::int64_t{9} * kPictureWidth * kPictureHeight,
                         "drawing the picture");
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(clusters)), order(sizes.size());
  for (const std::int32_t label : labels) ++sizes[label];
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return sizes[a] > sizes[b]; });
  std::vector<Color> colors(sizes.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) colors[order[rank]] = cluster_color(rank);

  const Plane plane = plane_of(points, context);
  std::vector<double> across(static_cast<std::size_t>(n)), up(across.size());
  context.for_blocks(n, kPointsPerReport, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto row = points.row(i);
      across[i] = std::inner_product(row.begin(), row.end(), plane.across.begin(), 0.0);
      up[i] = std::inner_product(row.begin(), row.end(), plane.up.begin(), 0.0);
    }
  });
  Range high = range_of(up);
  Range wide = range_of(across);
  if (points.cols == 1) {
    // Steps of the golden section fill the height evenly.
    for (std::int64_t i = 0; i < n; ++i) {
      const double turn = static_cast<double>(i) * (std::numbers::phi - 1);
      up[i] = (turn - std::floor(turn)) * (wide.high > wide.low ? wide.high - wide.low : 1) / 2;
    }
    high = range_of(up);
  }
  std::array<std::array<double, 2>, 8> corners{};
  if (points.cols == 3) {
    corners = box_corners(points, plane);
    const auto reach = [&](std::size_t axis) {
      const auto [low, most] = std::minmax_element(
          corners.begin(), corners.end(), [&](const auto& a, const auto& b) { return a[axis] < b[axis]; });
      return Range{(*low)[axis], (*most)[axis]};
    };
    wide = reach(0);
    high = reach(1);
  }
  const Map map(wide, high);
  const double radius =
      std::clamp(3.0 * std::pow(2000.0 / static_cast<double>(n), 0.35), 0.6, 3.0);  // radius of a disc
  Layer layer;
  std::int64_t outside = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (i % kPointsPerReport == 0) context.progress("picture", i, n);
    const double x = map.x(across[i]), y = map.y(up[i]);
    if (x < 0 || y < 0 || x >= kMapWidth || y >= kMapHeight) {
      ++outside;
      continue;
    }
    layer.disc(x, y, radius, colors[labels[i]]);
  }
  context.progress("picture", n, n);

  Canvas canvas(kPictureWidth, kPictureHeight);
  canvas.text(kLeft, 48, fmt::format("{}, {}", grouped(n, "point"), grouped(clusters, "cluster")), 18, kInk);
  std::string caption = plane.caption;
  if (outside > 0) caption += fmt::format("    {} far outside", grouped(outside, "point"));
  canvas.text(kLeft, 77, caption, 12, kFaint);
  layer.draw(canvas);
  if (points.cols == 3) draw_box(canvas, corners, map);
  for (const double y : {1.0 * kTop, 1.0 * kTop + kMapHeight}) {
    canvas.stroke(kLeft, y, kLeft + kMapWidth, y, 1, kPale);
  }
  for (const double x : {1.0 * kLeft, 1.0 * kLeft + kMapWidth}) {
    canvas.stroke(x, kTop, x, kTop + kMapHeight, 1, kPale);
  }
  if (points.cols != 3) {
    const auto tick = [&](double value) {
      const double x = kLeft + map.x(value);
      canvas.stroke(x, kTop + kMapHeight, x, kTop + kMapHeight + 5, 1.2, kFaint);
      canvas.text(x, kTop + kMapHeight + 22, fmt::format("{:.3g}", value), 10, kFaint, Canvas::Align::middle);
    };
    tick(wide.low);
    if (wide.high > wide.low) tick(wide.high);
  }
  draw_list(canvas, order, sizes);
  return canvas.png();
}

void write_point_picture(const OutputPath& path, MatrixView<const float> points,
                         std::span<const std::int32_t> labels, std::int64_t clusters,
                         const Context& context) {
  write_file(path, point_picture(points, labels, clusters, context));
}

}  // namespace parsimony::cluster
