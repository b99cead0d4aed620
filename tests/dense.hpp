// Small dense oracles for tests: random graphs, matrices, and a symmetric eigen-decomposition.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "parsimony/core/csr.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/laplacian.hpp"

namespace parsimony::testing {

using Dense = std::vector<std::vector<double>>;

inline Dense zeros(std::int64_t n) {
  return Dense(n, std::vector<double>(n));
}

/// Every pair joined with this probability; weights 1, or uniform in (0, 10).
inline Dense random_adjacency(std::int64_t n, double probability, bool weighted, std::uint64_t seed) {
  const RandomStream edge(seed, "test.edge"), weight(seed, "test.weight");
  Dense w = zeros(n);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      if (edge.uniform(i * n + j) < probability) {
        w[i][j] = w[j][i] = weighted ? static_cast<float>(10 * weight.uniform(i * n + j)) : 1;
      }
    }
  }
  return w;
}

/// Blocks of `size` nodes, joined with probability `inside` and between each other with `outside`.
inline Dense block_adjacency(std::int64_t blocks, std::int64_t size, double inside, double outside,
                             std::uint64_t seed) {
  const RandomStream edge(seed, "test.edge");
  const std::int64_t n = blocks * size;
  Dense w = zeros(n);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      if (edge.uniform(i * n + j) < (i / size == j / size ? inside : outside)) w[i][j] = w[j][i] = 1;
    }
  }
  return w;
}

inline Csr to_csr(const Dense& w, bool weighted) {
  Csr out;
  for (const auto& row : w) {
    for (std::size_t j = 0; j < row.size(); ++j) {
      if (row[j] == 0) continue;
      out.columns.push_back(static_cast<std::int32_t>(j));
      if (weighted) out.values.push_back(static_cast<float>(row[j]));
    }
    out.offsets.push_back(static_cast<std::int64_t>(out.columns.size()));
  }
  return out;
}

/// The symmetric form of the Laplacian from its definition, not from the library's random-walk form.
inline Dense dense_laplacian(const Dense& w, graph::LaplacianKind kind, double regularization = 0) {
  const auto n = static_cast<std::int64_t>(w.size());
  Dense l = zeros(n);
  std::vector<double> degree(n);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) degree[i] += w[i][j];
  }
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      if (kind == graph::LaplacianKind::combinatorial) {
        l[i][j] = (i == j ? degree[i] : 0) - w[i][j];
      } else {
        const double product = (degree[i] + regularization) * (degree[j] + regularization);
        const double identity = i == j && degree[i] + regularization > 0 ? 1 : 0;
        l[i][j] = identity - (product > 0 ? w[i][j] / std::sqrt(product) : 0);
      }
    }
  }
  return l;
}

struct Eigen {
  std::vector<double> values;  ///< ascending
  Dense vectors;               ///< vectors[k] belongs to values[k]
};

/// Cyclic Jacobi rotations: slow, simple and accurate to rounding, and no code in common with what it checks.
inline Eigen eigen_decomposition(Dense a) {
  const auto n = static_cast<std::int64_t>(a.size());
  Dense v = zeros(n);
  for (std::int64_t i = 0; i < n; ++i) v[i][i] = 1;
  for (int sweep = 0; sweep < 60; ++sweep) {
    double off = 0;
    for (std::int64_t p = 0; p < n; ++p) {
      for (std::int64_t q = p + 1; q < n; ++q) {
        off += a[p][q] * a[p][q];
        if (std::abs(a[p][q]) < 1e-300) continue;
        const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        for (std::int64_t i = 0; i < n; ++i) {
          const double x = a[i][p], y = a[i][q];
          a[i][p] = c * x - s * y;
          a[i][q] = s * x + c * y;
        }
        for (std::int64_t i = 0; i < n; ++i) {
          const double x = a[p][i], y = a[q][i];
          a[p][i] = c * x - s * y;
          a[q][i] = s * x + c * y;
          const double f = v[p][i], g = v[q][i];
          v[p][i] = c * f - s * g;
          v[q][i] = s * f + c * g;
        }
      }
    }
    if (off < 1e-24) break;
  }
  std::vector<std::int64_t> order(n);
  for (std::int64_t i = 0; i < n; ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](auto x, auto y) { return a[x][x] < a[y][y]; });
  Eigen out;
  for (const auto i : order) {
    out.values.push_back(a[i][i]);
    out.vectors.push_back(v[i]);
  }
  return out;
}

}  // namespace parsimony::testing
