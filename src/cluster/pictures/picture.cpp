#include "parsimony/cluster/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cluster/pictures/charts.hpp"
#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::cluster {
namespace {

constexpr double kMatrixLeft = 60, kMatrixTop = 106, kMatrixSide = 640;
constexpr double kChartLeft = 800, kChartRight = 1160, kChartsTop = 130;
constexpr double kBetweenCharts = 76;
constexpr double kStrip = 7;  // width of the strip of cluster colours along the matrix

// Pale yellow over teal to dark blue, in the spirit of ColorBrewer's YlGnBu: dark reads as dense on white
// paper.
Color density_color(double level) {
  constexpr Color kStops[] = {
      {0.97, 0.985, 0.90}, {0.72, 0.89, 0.73}, {0.31, 0.73, 0.76}, {0.13, 0.44, 0.70}, {0.05, 0.13, 0.38}};
  const double place = std::clamp(level, 0.0, 1.0) * (std::size(kStops) - 1);
  const auto stop = std::min(static_cast<std::size_t>(place), std::size(kStops) - 2);
  return mix(kStops[stop], kStops[stop + 1], place - static_cast<double>(stop));
}

// From teal for the largest cluster to orange for the smallest; neighbours differ in brightness.
Color cluster_color(std::int64_t rank, std::int64_t clusters) {
  constexpr Color kStops[] = {{0.11, 0.47, 0.58}, {0.44, 0.35, 0.63}, {0.84, 0.32, 0.42}, {0.95, 0.60, 0.22}};
  const double place =
      clusters == 1 ? 0 : 3.0 * static_cast<double>(rank) / static_cast<double>(clusters - 1);
  const auto stop = std::min(static_cast<std::size_t>(place), std::size_t{2});
  const Color color = mix(kStops[stop], kStops[stop + 1], place - static_cast<double>(stop));
  return rank % 2 == 0 ? color : mix(color, {1, 1, 1}, 0.28);
}

// The clusters by falling size, and where each node stands when the nodes are sorted so.
struct Order {
  std::vector<std::int64_t> clusters;
  std::vector<std::int32_t> position;
};

Order sort_by_cluster(std::span<const std::int32_t> labels, std::span<const std::int64_t> sizes) {
  Order order{std::vector<std::int64_t>(sizes.size()), std::vector<std::int32_t>(labels.size())};
  std::iota(order.clusters.begin(), order.clusters.end(), 0);
  const auto size = [&](std::int64_t cluster) { return sizes[static_cast<std::size_t>(cluster)]; };
  std::stable_sort(order.clusters.begin(), order.clusters.end(),
                   [&](auto a, auto b) { return size(a) > size(b); });
  std::vector<std::int32_t> next(sizes.size());
  std::int64_t first = 0;
  for (const std::int64_t cluster : order.clusters) {
    next[static_cast<std::size_t>(cluster)] = static_cast<std::int32_t>(first);
    first += size(cluster);
  }
  for (std::size_t node = 0; node < labels.size(); ++node) {
    order.position[node] = next[static_cast<std::size_t>(labels[node])]++;
  }
  return order;
}

// Mean weight of a pair of nodes in each of bins × bins cells of the sorted matrix.
struct Density {
  std::int64_t bins;
  std::vector<double> cells;
};

Density bin_matrix(CsrView adjacency, const Order& order, const Context& context) {
  const std::int64_t nodes = adjacency.rows();
  // Cells hold four entries on average, so that the ground is a tint and not salt and pepper.
  const auto wanted = static_cast<std::int64_t>(std::sqrt(static_cast<double>(adjacency.entries()) / 4));
  const std::int64_t bins =
      std::min(nodes, std::clamp(wanted, std::int64_t{80}, static_cast<std::int64_t>(kMatrixSide)));
  Density density{bins, std::vector<double>(static_cast<std::size_t>(bins * bins))};
  const auto bin = [&](std::int64_t node) {
    return order.position[static_cast<std::size_t>(node)] * bins / nodes;
  };
  for (std::int64_t row = 0; row < nodes; ++row) {
    if (row % 65536 == 0) context.progress("picture", row, nodes);
    double* cells = &density.cells[static_cast<std::size_t>(bin(row) * bins)];
    for (auto entry = static_cast<std::size_t>(adjacency.offsets[static_cast<std::size_t>(row)]);
         entry < static_cast<std::size_t>(adjacency.offsets[static_cast<std::size_t>(row) + 1]); ++entry) {
      cells[bin(adjacency.columns[entry])] += adjacency.weighted() ? adjacency.values[entry] : 1.0;
    }
  }
  context.progress("picture", nodes, nodes);
  const auto first_node = [&](std::int64_t b) { return (b * nodes + bins - 1) / bins; };
  for (std::int64_t i = 0; i < bins * bins; ++i) {
    const std::int64_t row = i / bins, column = i % bins;
    const std::int64_t pairs =
        (first_node(row + 1) - first_node(row)) * (first_node(column + 1) - first_node(column));
    density.cells[static_cast<std::size_t>(i)] /= static_cast<double>(pairs);
  }
  return density;
}

void draw_matrix(Canvas& canvas, const Density& density, const Order& order,
                 std::span<const std::int64_t> sizes) {
  // log(1 + density / mean): the scatter of nearly empty cells stays pale, dense blocks differ still.
  const double mean = std::accumulate(density.cells.begin(), density.cells.end(), 0.0) /
                      static_cast<double>(density.cells.size());
  std::vector<double> sorted = density.cells;
  const auto nearly_all =
      sorted.begin() + static_cast<std::ptrdiff_t>(0.998 * static_cast<double>(sorted.size()));
  std::nth_element(sorted.begin(), nearly_all, sorted.end());
  const double high = std::max(*nearly_all, mean);
  const double cell = kMatrixSide / static_cast<double>(density.bins);
  const auto edge = [&](std::int64_t bin) { return std::round(cell * static_cast<double>(bin)); };
  for (std::int64_t i = 0; i < density.bins * density.bins; ++i) {
    const std::int64_t row = i / density.bins, column = i % density.bins;
    const double value = density.cells[static_cast<std::size_t>(i)];
    const double level = mean > 0 ? std::log1p(value / mean) / std::log1p(high / mean) : 0;
    canvas.fill(kMatrixLeft + edge(column), kMatrixTop + edge(row), kMatrixLeft + edge(column + 1),
                kMatrixTop + edge(row + 1), density_color(level));
  }
  const double unit = kMatrixSide / static_cast<double>(order.position.size());
  double begin = 0;
  for (std::size_t rank = 0; rank < order.clusters.size(); ++rank) {
    const double end =
        begin + unit * static_cast<double>(sizes[static_cast<std::size_t>(order.clusters[rank])]);
    const Color color =
        cluster_color(static_cast<std::int64_t>(rank), static_cast<std::int64_t>(order.clusters.size()));
    canvas.fill(kMatrixLeft - 4 - kStrip, kMatrixTop + begin, kMatrixLeft - 4, kMatrixTop + end, color);
    canvas.fill(kMatrixLeft + begin, kMatrixTop - 4 - kStrip, kMatrixLeft + end, kMatrixTop - 4, color);
    begin = end;
  }
  const double y = kMatrixTop + kMatrixSide + 17, left = kMatrixLeft + kMatrixSide - 160, right = left + 100;
  canvas.text(kMatrixLeft, y + 9, "edge density, nodes sorted by cluster", 10, kFaint);
  for (int step = 0; step < 100; ++step) {
    canvas.fill(left + step, y, left + step + 1, y + 9, density_color(step / 99.0));
  }
  canvas.text(left - 8, y + 9, "0", 10, kFaint, Canvas::Align::right);
  canvas.text(right + 8, y + 9, fmt::format("{:.2g}", high), 10, kFaint);
}

void check(CsrView adjacency, std::span<const std::int32_t> labels, std::span<const std::int64_t> sizes,
           std::size_t conductances) {
  std::vector<std::int64_t> counted(sizes.size());
  bool fits = !labels.empty() && static_cast<std::int64_t>(labels.size()) == adjacency.rows() &&
              conductances == sizes.size();
  for (const std::int32_t label : labels) {
    fits = fits && label >= 0 && static_cast<std::size_t>(label) < sizes.size();
    if (fits) ++counted[static_cast<std::size_t>(label)];
  }
  if (!fits || !std::equal(counted.begin(), counted.end(), sizes.begin())) {
    refuse("picture: the scores are not of these labels, or the labels not of this graph");
  }
}

void check(const StabilityCurve& curve) {
  const std::size_t count = curve.clusters.size();
  if (count == 0) return;
  if (curve.stability.size() != count || curve.standard_error.size() != count || curve.clusters.front() < 1 ||
      !std::is_sorted(curve.clusters.begin(), curve.clusters.end()) ||
      std::find(curve.clusters.begin(), curve.clusters.end(), curve.chosen) == curve.clusters.end()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("picture: the stability curve has {} of clusters, {} and {}; must be as many, "
                            "ascending from 1 and with the chosen {} among them",
                            count_of(count, "number"), count_of(curve.stability.size(), "value"),
                            count_of(curve.standard_error.size(), "error"), curve.chosen));
  }
}

}  // namespace

std::string cluster_picture(CsrView adjacency, std::span<const std::int32_t> labels,
                            const graph::PartitionScores& scores, const PictureDetails& details,
                            const Context& context) {
  adjacency = graph::check_graph(adjacency, context);
  check(adjacency, labels, scores.sizes, scores.conductance.size());
  check(details.stability);
  // The places of the nodes; the densities, the picture, its samples and the PNG.
  constexpr auto kDensities = static_cast<std::int64_t>(8 * kMatrixSide * kMatrixSide);
  context.require_memory(8 * adjacency.rows() + kDensities + std::int64_t{9} * kPictureWidth * kPictureHeight,
                         "drawing the picture");
  const Order order = sort_by_cluster(labels, scores.sizes);
  std::vector<double> sizes, conductances;
  std::vector<Color> colors;
  for (const std::int64_t cluster : order.clusters) {
    sizes.push_back(static_cast<double>(scores.sizes[static_cast<std::size_t>(cluster)]));
    colors.push_back(cluster_color(std::ssize(colors), std::ssize(order.clusters)));
    const double conductance = scores.conductance[static_cast<std::size_t>(cluster)];
    conductances.push_back(std::isfinite(conductance) ? std::clamp(conductance, 0.0, 1.0) : 0);
  }
  const double worst = *std::max_element(conductances.begin(), conductances.end());
  const double limit = worst > 0.5 ? 1 : worst > 0.1 ? 0.5 : worst > 0.01 ? 0.1 : 0.01;

  Canvas canvas(kPictureWidth, kPictureHeight);
  canvas.text(kMatrixLeft, 48,
              fmt::format("{}, {}, {}", grouped(adjacency.rows(), "node"),
                          grouped(adjacency.entries() / 2, "edge"), grouped(std::ssize(sizes), "cluster")),
              18, kInk);
  std::string caption = fmt::format("modularity {:.3f}    normalized cut {:.4g}    mean conductance {:.3f}",
                                    scores.modularity, scores.normalized_cut, scores.mean_conductance);
  if (details.lambda_k > 0) caption += fmt::format("    \\k = {:.4g}", details.lambda_k);
  canvas.text(kMatrixLeft, 77, caption, 12, kFaint);
  draw_matrix(canvas, bin_matrix(adjacency, order, context), order, scores.sizes);

  const bool stability = !details.stability.clusters.empty();
  const int charts = 2 + (details.density != nullptr ? 1 : 0) + (stability ? 1 : 0);
  const double height = (kMatrixTop + kMatrixSide - kChartsTop - (charts - 1) * kBetweenCharts) / charts;
  int drawn = 0;
  const auto next_frame = [&] {
    const double top = kChartsTop + drawn++ * (height + kBetweenCharts);
    return Frame{kChartLeft, kChartRight, std::round(top), std::round(top + height)};
  };
  draw_bars(canvas, next_frame(), "nodes of each cluster", sizes, colors, sizes.front(),
            grouped(static_cast<std::int64_t>(sizes.front())));
  draw_bars(canvas, next_frame(), "conductance of each cluster", conductances, colors, limit,
            fmt::format("{}", limit));
  if (stability) draw_stability(canvas, next_frame(), details.stability);
  if (details.density != nullptr) draw_spectrum(canvas, next_frame(), *details.density, details.lambda_k);
  return canvas.png();
}

void write_cluster_picture(const OutputPath& path, CsrView adjacency, std::span<const std::int32_t> labels,
                           const graph::PartitionScores& scores, const PictureDetails& details,
                           const Context& context) {
  write_file(path, cluster_picture(adjacency, labels, scores, details, context));
}

}  // namespace parsimony::cluster
