#include "parsimony/graph/neighbor_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::graph {
namespace {

constexpr std::int64_t kListsPerBlock = 1 << 12;
constexpr std::int64_t kScaleNeighbor = 7;  // its distance is σ of the self-tuning weights, as in the paper
constexpr double kSmallestWeight = 1e-30;
constexpr double kSmallestScale = 1e-3;  // times the mean

void check(const Neighbors& neighbors, const Context& context) {
  const Matrix<std::int32_t>& indices = neighbors.indices;
  const Matrix<float>& distances = neighbors.distances;
  if (indices.rows() != distances.rows() || indices.cols() != distances.cols()) {
    refuse(fmt::format("neighbors: {} × {} indices but {} × {} distances", indices.rows(), indices.cols(),
                       distances.rows(), distances.cols()));
  }
  context.for_blocks(indices.rows(), kListsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t r = 0; r < indices.cols(); ++r) {
        const std::int32_t j = indices(i, r);
        if (j < 0 || j >= indices.rows() || j == i) {
          refuse(fmt::format("neighbors: row {} names point {}; must be another of the {}", i, j,
                             count_of(indices.rows(), "point")));
        }
        if (!(distances(i, r) >= 0) || (r > 0 && distances(i, r) < distances(i, r - 1))) {
          refuse(fmt::format("neighbors: the distances of row {} do not ascend from at least 0", i));
        }
      }
    }
  });
}

// The squared Euclidean distance behind a distance.
double square_of(double distance, Metric metric) {
  return metric == Metric::cosine ? 2 * distance : distance * distance;
}

// Distances of the points to their r-th neighbour (from 0), and the mean of them.
struct Scales {
  std::vector<float> of_point;
  double mean = 0;
};

Scales scales(const Neighbors& neighbors, std::int64_t r, const Context& context) {
  const std::int64_t n = neighbors.indices.rows();
  Scales out;
  out.of_point.resize(n);
  const double sum = context.sum_blocks(n, kListsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    double part = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      out.of_point[i] = static_cast<float>(std::sqrt(square_of(neighbors.distances(i, r), neighbors.metric)));
      part += out.of_point[i];
    }
    return part;
  });
  out.mean = sum / static_cast<double>(n);
  return out;
}

struct Entry {
  std::int32_t point;
  float distance;
};

// The neighbours of every row by index, and for every point those that it is a neighbour of.
struct Directed {
  std::vector<Entry> out;
  std::vector<Entry> in;
  std::vector<std::int64_t> in_starts;
};

Directed both_directions(const Neighbors& neighbors, const Context& context) {
  const std::int64_t n = neighbors.indices.rows(), k = neighbors.indices.cols();
  Directed edges{std::vector<Entry>(n * k), std::vector<Entry>(n * k), std::vector<std::int64_t>(n + 1)};
  context.for_blocks(n, kListsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Entry* row = edges.out.data() + i * k;
      for (std::int64_t r = 0; r < k; ++r) row[r] = {neighbors.indices(i, r), neighbors.distances(i, r)};
      std::sort(row, row + k, [](const Entry& a, const Entry& b) { return a.point < b.point; });
    }
  });
  for (const Entry& entry : edges.out) ++edges.in_starts[entry.point + 1];
  std::partial_sum(edges.in_starts.begin(), edges.in_starts.end(), edges.in_starts.begin());
  std::vector<std::int64_t> next(edges.in_starts.begin(), edges.in_starts.end() - 1);
  for (std::int64_t i = 0; i < n; ++i) {  // in this order the points of each list ascend
    for (std::int64_t e = i * k; e < (i + 1) * k; ++e) {
      edges.in[next[edges.out[e].point]++] = {static_cast<std::int32_t>(i), edges.out[e].distance};
    }
  }
  return edges;
}

// Calls use(neighbour, distance) for the edges of point i, ascending.
template <class Use>
void for_edges(const Directed& edges, std::int64_t i, std::int64_t k, EdgeRule rule, const Use& use) {
  const Entry *out = edges.out.data() + i * k, *out_end = out + k;
  const Entry *in = edges.in.data() + edges.in_starts[i], *in_end = edges.in.data() + edges.in_starts[i + 1];
  while (out < out_end || in < in_end) {
    const bool from_out = in == in_end || (out < out_end && out->point <= in->point);
    const bool from_in = out == out_end || (in < in_end && in->point <= out->point);
    const Entry entry = from_out ? *out : *in;
    if (rule == EdgeRule::unite || (from_out && from_in)) use(entry.point, entry.distance);
    out += from_out;
    in += from_in;
  }
}

}  // namespace

Graph neighbor_graph(const Neighbors& neighbors, const NeighborGraphOptions& options,
                     const Context& context) {
  validate_fields(options);
  check(neighbors, context);
  const std::int64_t n = neighbors.indices.rows(), k = neighbors.indices.cols();
  Graph graph;
  Csr& adjacency = graph.adjacency;
  adjacency.offsets.assign(n + 1, 0);
  if (n == 0 || k == 0) return graph;

  const Directed edges = both_directions(neighbors, context);
  context.for_blocks(n, kListsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for_edges(edges, i, k, options.edges, [&](std::int32_t, float) { ++adjacency.offsets[i + 1]; });
    }
  });
  std::partial_sum(adjacency.offsets.begin(), adjacency.offsets.end(), adjacency.offsets.begin());
  adjacency.columns.resize(adjacency.offsets.back());
  const bool weighted = options.weights != NeighborWeights::binary;
  if (weighted) adjacency.values.resize(adjacency.offsets.back());

  const bool self_tuning = options.weights == NeighborWeights::self_tuning;
  const Scales scale =
      weighted ? scales(neighbors, self_tuning ? std::min(k, kScaleNeighbor) - 1 : k - 1, context) : Scales{};
  const double sigma = options.bandwidth > 0 ? options.bandwidth : scale.mean;
  const auto weight = [&](std::int64_t i, std::int64_t j, double distance) {
    const double square = square_of(distance, neighbors.metric);
    if (square == 0) return 1.0f;
    double width = 2 * sigma * sigma;
    if (self_tuning) {
      const double least = kSmallestScale * scale.mean;
      width = std::max<double>(scale.of_point[i], least) * std::max<double>(scale.of_point[j], least);
    }
    return static_cast<float>(std::max(kSmallestWeight, width > 0 ? std::exp(-square / width) : 0.0));
  };
  context.for_blocks(n, kListsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::int64_t e = adjacency.offsets[i];
      for_edges(edges, i, k, options.edges, [&](std::int32_t j, float distance) {
        adjacency.columns[e] = j;
        // The same float from both ends: the smaller index comes first in both rows.
        if (weighted)
          adjacency.values[e] = weight(std::min<std::int64_t>(i, j), std::max<std::int64_t>(i, j), distance);
        ++e;
      });
    }
  });
  return graph;
}

}  // namespace parsimony::graph
