#include "parsimony/graph/laplacian.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "dense.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/graph.hpp"

namespace parsimony::graph::laplacian_test {
namespace {

// The operator of the library, back in its symmetric form.
testing::Dense symmetric_form(const Laplacian& laplacian) {
  const std::int64_t n = laplacian.nodes();
  testing::Dense out = testing::zeros(n);
  const CsrView& w = laplacian.adjacency;
  for (std::int64_t i = 0; i < n; ++i) {
    out[i][i] = laplacian.diagonal[i];
    for (auto e = w.offsets[i]; e < w.offsets[i + 1]; ++e) {
      const std::int64_t j = w.columns[e];
      const double value = laplacian.off_diagonal[i] * (w.weighted() ? w.values[e] : 1.0);
      out[i][j] -= laplacian.scale[i] * value / laplacian.scale[j];
    }
  }
  return out;
}

TEST(Laplacian, EveryKindEqualsItsDefinition) {
  for (const bool weighted : {false, true}) {
    testing::Dense w = testing::random_adjacency(30, 0.2, weighted, 8);
    for (int j = 0; j < 30; ++j) w[4][j] = w[j][4] = 0;
    const Csr csr = testing::to_csr(w, weighted);
    for (const auto kind : {LaplacianKind::combinatorial, LaplacianKind::normalized}) {
      for (const double tau : {0.0, 3.5}) {
        if (kind == LaplacianKind::combinatorial && tau > 0) continue;
        const auto found = symmetric_form(make_laplacian(csr, kind, tau));
        const auto expected = testing::dense_laplacian(w, kind, tau);
        for (int i = 0; i < 30; ++i) {
          for (int j = 0; j < 30; ++j) EXPECT_NEAR(found[i][j], expected[i][j], 1e-5);
        }
      }
    }
  }
}

TEST(Laplacian, RowSums) {
  const Csr csr = testing::to_csr(testing::random_adjacency(40, 0.2, true, 2), true);
  const auto degree = degrees(csr);
  for (const auto kind : {LaplacianKind::combinatorial, LaplacianKind::normalized}) {
    // Combinatorial: L 1 = 0. Normalised, in the random-walk form: (I − D⁻¹W) 1 = 0.
    const auto l = make_laplacian(csr, kind);
    for (std::int64_t i = 0; i < l.nodes(); ++i) {
      EXPECT_NEAR(l.diagonal[i] - l.off_diagonal[i] * degree[i], 0, 1e-4);
    }
  }
  const auto regularised = make_laplacian(csr, LaplacianKind::normalized, 2.0);
  for (std::int64_t i = 0; i < regularised.nodes(); ++i) {
    EXPECT_NEAR(1 - regularised.off_diagonal[i] * degree[i], 2.0 / (degree[i] + 2.0), 1e-5);
  }
}

TEST(AutomaticRegularization, IsPositiveOnlyWhereManyNodesHangByAThread) {
  const Csr ring = [] {
    testing::Dense w = testing::zeros(50);
    for (int i = 0; i < 50; ++i) w[i][(i + 1) % 50] = w[(i + 1) % 50][i] = 1;
    return testing::to_csr(w, false);
  }();
  EXPECT_EQ(automatic_regularization(ring), 0);
  const Csr star_of_cliques = [] {  // a clique of 20 with 30 pendant nodes
    testing::Dense w = testing::zeros(50);
    for (int i = 0; i < 20; ++i) {
      for (int j = 0; j < i; ++j) w[i][j] = w[j][i] = 1;
    }
    for (int i = 20; i < 50; ++i) w[i][i - 20 < 20 ? i - 20 : 0] = w[i - 20 < 20 ? i - 20 : 0][i] = 1;
    return testing::to_csr(w, false);
  }();
  EXPECT_NEAR(automatic_regularization(star_of_cliques), (20 * 19 + 60) / 50.0 / 4, 1e-9);
}

TEST(AutomaticRegularization, IsZeroForAMeshWhoseNodesHaveLightEdges) {
  testing::Dense w = testing::zeros(50);  // a ring, a tenth of whose nodes has light edges
  for (int i = 0; i < 50; ++i) w[i][(i + 1) % 50] = w[(i + 1) % 50][i] = i % 10 < 2 ? 0.01 : 1;
  EXPECT_EQ(automatic_regularization(testing::to_csr(w, true)), 0);
  for (int i = 0; i < 25; i += 5) w[i][i + 25] = w[i + 25][i] = 1e-3;  // five chords make no hanging nodes
  EXPECT_EQ(automatic_regularization(testing::to_csr(w, true)), 0);
}

TEST(Laplacian, RefusesABadRegularization) {
  const Csr csr = testing::to_csr(testing::random_adjacency(5, 0.9, false, 2), false);
  EXPECT_THROW(make_laplacian(csr, LaplacianKind::normalized, -1), Error);
  EXPECT_THROW(make_laplacian(csr, LaplacianKind::normalized, NAN), Error);
  EXPECT_THROW(make_laplacian(csr, LaplacianKind::combinatorial, 1), Error);
}

TEST(Components, CountsThemAndTheIsolatedNodes) {
  testing::Dense w = testing::zeros(7);
  w[0][3] = w[3][0] = w[1][2] = w[2][1] = w[2][5] = w[5][2] = 1;
  const auto found = connected_components(testing::to_csr(w, false));
  EXPECT_EQ(found.label, (std::vector<std::int32_t>{0, 1, 1, 0, 2, 1, 3}));
  EXPECT_EQ(found.count, 4);
  EXPECT_EQ(found.isolated, 2);
}

TEST(NodeIds, NamesAndFindsAreInverse) {
  for (const NodeIds& ids : {NodeIds::consecutive(5, -2), NodeIds::numbers({-7, 0, 3, 1LL << 40}),
                             NodeIds::strings({"a", "b c", "zz"})}) {
    for (std::int64_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids.find(ids.name(i)), i);
    EXPECT_EQ(ids.find("nobody"), -1);
    EXPECT_EQ(ids.find("12345"), -1);
  }
}

}  // namespace
}  // namespace parsimony::graph::laplacian_test
