#include "parsimony/graph/scores.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "expect_error.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/generators.hpp"

namespace parsimony::graph::scores_test {
namespace {

std::vector<std::int32_t> random_labels(std::int64_t n, std::int64_t clusters, std::uint64_t seed) {
  const RandomStream stream(seed, "test.labels");
  std::vector<std::int32_t> out(n);
  for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<std::int32_t>(stream.below(clusters, i));
  return out;
}

struct Dense {
  std::int64_t n;
  std::vector<double> w;
  double operator()(std::int64_t i, std::int64_t j) const { return w[i * n + j]; }
};

struct Weighted {
  Csr csr;
  Dense dense;
};

// Some nodes isolated; without weights when `weighted` is false.
Weighted random_graph(std::int64_t n, double density, bool weighted, std::uint64_t seed) {
  const RandomStream stream(seed, "test.graph");
  Weighted out{{}, {n, std::vector<double>(n * n)}};
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      if (i % 7 == 3 || j % 7 == 3 || stream.uniform(2 * (i * n + j)) > density) continue;
      const float w = weighted ? static_cast<float>(0.1 + stream.uniform(2 * (i * n + j) + 1)) : 1.0f;
      out.dense.w[i * n + j] = out.dense.w[j * n + i] = w;
    }
  }
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      if (out.dense(i, j) == 0) continue;
      out.csr.columns.push_back(static_cast<std::int32_t>(j));
      if (weighted) out.csr.values.push_back(static_cast<float>(out.dense(i, j)));
    }
    out.csr.offsets.push_back(out.csr.entries());
  }
  return out;
}

// A self loop of weight w is 2 w on the diagonal of the adjacency matrix.
TEST(PartitionScores, CountSelfLoopsAsTheDiagonal) {
  const std::int64_t n = 30;
  auto [csr, w] = random_graph(n, 0.3, true, 4);
  const auto labels = random_labels(n, 4, 2);
  std::vector<double> loops(n), degree(n);
  double total = 0, modularity = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    loops[i] = i % 3 == 0 ? 0.5 + static_cast<double>(i) : 0;
    w.w[i * n + i] = 2 * loops[i];
    for (std::int64_t j = 0; j < n; ++j) degree[i] += w(i, j);
    total += degree[i];
  }
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      if (labels[i] == labels[j]) modularity += (w(i, j) - degree[i] * degree[j] / total) / total;
    }
  }
  const PartitionScores scores = score_partition(csr, labels, loops);
  EXPECT_NEAR(scores.modularity, modularity, 1e-12);
  EXPECT_NEAR(std::accumulate(scores.volume.begin(), scores.volume.end(), 0.0), total, 1e-9);
  EXPECT_EQ(score_partition(csr, labels, std::vector<double>(n)).modularity,
            score_partition(csr, labels).modularity);
  expect_error(ErrorCode::invalid_argument, "self_loops: 1 for 30 nodes",
               [&, &csr = csr] { score_partition(csr, labels, std::vector<double>(1)); });
  loops[2] = -1;
  expect_error(ErrorCode::invalid_argument, "self_loops: weight -1",
               [&, &csr = csr] { score_partition(csr, labels, loops); });
}

TEST(PartitionScores, EqualTheirDefinitionsOnDenseMatrices) {
  for (const bool weighted : {false, true}) {
    for (const std::int64_t clusters : {1, 2, 5, 13}) {
      const std::int64_t n = 60;
      const auto [csr, w] = random_graph(n, 0.2, weighted, clusters);
      auto labels = random_labels(n, clusters, 8);
      labels[0] = static_cast<std::int32_t>(clusters - 1);
      const auto scores = score_partition(csr, labels);
      std::vector<double> degree(n);
      double total = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < n; ++j) degree[i] += w(i, j);
        total += degree[i];
      }
      double modularity = 0;  // the pairwise form
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          if (labels[i] == labels[j]) modularity += (w(i, j) - degree[i] * degree[j] / total) / total;
        }
      }
      EXPECT_NEAR(scores.modularity, modularity, 1e-12);
      double normalized_cut = 0;
      for (std::int64_t c = 0; c < clusters; ++c) {
        double cut = 0, volume = 0;
        std::int64_t size = 0;
        for (std::int64_t i = 0; i < n; ++i) {
          if (labels[i] != c) continue;
          ++size;
          volume += degree[i];
          for (std::int64_t j = 0; j < n; ++j) cut += labels[j] != c ? w(i, j) : 0;
        }
        EXPECT_EQ(scores.sizes[c], size);
        EXPECT_NEAR(scores.volume[c], volume, 1e-12 * total);
        EXPECT_NEAR(scores.cut[c], cut, 1e-12 * total);
        if (cut > 0) {
          EXPECT_NEAR(scores.conductance[c], cut / std::min(volume, total - volume), 1e-12);
          normalized_cut += cut / volume;
        }
      }
      EXPECT_NEAR(scores.normalized_cut, normalized_cut, 1e-12 * clusters);
    }
  }
}

// Two cliques of four and a bridge: everything by hand.
TEST(PartitionScores, TwoCliquesAndABridge) {
  Csr a;
  for (int i = 0; i < 8; ++i) {
    for (int j = 0; j < 8; ++j) {
      if (i != j && (i / 4 == j / 4 || (i + j == 7 && (i == 3 || i == 4)))) a.columns.push_back(j);
    }
    a.offsets.push_back(a.entries());
  }
  const std::vector<std::int32_t> labels{0, 0, 0, 0, 1, 1, 1, 1};
  const auto scores = score_partition(a, labels);
  EXPECT_EQ(scores.volume, (std::vector<double>{13, 13}));
  EXPECT_EQ(scores.cut, (std::vector<double>{1, 1}));
  EXPECT_DOUBLE_EQ(scores.normalized_cut, 2.0 / 13);
  EXPECT_DOUBLE_EQ(scores.mean_conductance, 1.0 / 13);
  EXPECT_DOUBLE_EQ(scores.modularity, 24.0 / 26 - 0.5);
}

TEST(PartitionScores, HaveValuesWithoutEdgesAndForEmptyClusters) {
  const Csr isolated{.offsets = {0, 0, 0, 0}};
  const std::vector<std::int32_t> labels{0, 2, 2};  // cluster 1 is empty
  const auto scores = score_partition(isolated, labels);
  EXPECT_EQ(scores.modularity, 0);
  EXPECT_EQ(scores.normalized_cut, 0);
  EXPECT_EQ(scores.mean_conductance, 0);
  EXPECT_EQ(scores.sizes, (std::vector<std::int64_t>{1, 0, 2}));
  EXPECT_EQ(scores.conductance, (std::vector<double>{0, 0, 0}));
  EXPECT_TRUE(score_partition(Csr{}, {}).sizes.empty());
}

TEST(PartitionScores, DoNotDependOnThreadsNorNumbering) {
  const auto planted = stochastic_block_model({.nodes = 30000, .clusters = 12});
  const auto one = score_partition(planted.graph, planted.labels, Context(1));
  const auto many = score_partition(planted.graph, planted.labels, Context(5));
  EXPECT_EQ(one.modularity, many.modularity);
  EXPECT_EQ(one.cut, many.cut);
  auto reversed = planted.labels;
  for (auto& label : reversed) label = 11 - label;
  const auto other = score_partition(planted.graph, reversed);
  EXPECT_NEAR(one.modularity, other.modularity, 1e-12);
  EXPECT_EQ(one.cut[3], other.cut[8]);
}

TEST(PartitionScores, NameALabelThatIsNone) {
  const auto graph = random_graph(10, 0.5, false, 1).csr;
  for (const std::int32_t bad : {-1, 10}) {
    std::vector<std::int32_t> labels(10);
    labels[6] = bad;
    try {
      score_partition(graph, labels);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_NE(std::string(error.what()).find("node 6"), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(score_partition(graph, std::vector<std::int32_t>(9)), Error);
}

// Values of scikit-learn 1.x for the labelings of the test below. In Python:
//   x = [(i * p + s) // q % 7 for i in range(n)]
//   y = [x[i] if (i * 13 + s) % 10 >= noise else i * p % 4 for i in range(n)]
//   adjusted_rand_score(y, x), normalized_mutual_info_score(y, x), adjusted_mutual_info_score(y, x)
struct Case {
  std::int32_t n, p, q, s, noise;
  double ari, nmi, ami;
};
constexpr Case kCases[] = {
    {12, 1, 3, 0, 4, 0.18518518518518517, 0.54085208297275522, 0.25273288859598669},
    {60, 5, 9, 2, 5, 0.19412005974353616, 0.40713446314121265, 0.26762771533230273},
    {100, 1, 10, 0, 2, 0.61443932411674351, 0.66634354179273192, 0.62361632234520348},
    {300, 3, 40, 1, 8, 0.022871656487351406, 0.11271481625710472, 0.078211966812648762},
    {1000, 7, 100, 3, 9, 0.010916826041138129, 0.060344455987172849, 0.049655078412991716},
    {1000, 1, 150, 0, 0, 1, 1, 1},
    {5000, 11, 64, 5, 6, 0.14079020055885069, 0.25183182584760228, 0.25038416649782702},
};

TEST(Agreement, EqualsScikitLearn) {
  for (const Case& c : kCases) {
    std::vector<std::int32_t> x(c.n), y(c.n);
    for (std::int32_t i = 0; i < c.n; ++i) {
      x[i] = (i * c.p + c.s) / c.q % 7;
      y[i] = (i * 13 + c.s) % 10 >= c.noise ? x[i] : i * c.p % 4;
    }
    const Agreement a = agreement(y, x);
    EXPECT_NEAR(a.adjusted_rand, c.ari, 1e-13);
    EXPECT_NEAR(a.normalized_mutual_information, c.nmi, 1e-13);
    EXPECT_NEAR(a.adjusted_mutual_information, c.ami, 1e-11);
  }
}

// ARI by visiting every pair; expected mutual information by averaging over random permutations.
TEST(Agreement, EqualsItsDefinitions) {
  for (const std::int64_t clusters : {2, 3, 8, 30}) {
    const std::int64_t n = 120;
    const auto x = random_labels(n, clusters, 1), noise = random_labels(n, 4, 2);
    auto y = random_labels(n, clusters, 3);
    for (std::int64_t i = 0; i < n; ++i) {
      if (noise[i] != 0) y[i] = x[i] * 1000 - 7;
    }
    double both = 0, in_x = 0, in_y = 0, all = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < i; ++j) {
        both += x[i] == x[j] && y[i] == y[j];
        in_x += x[i] == x[j];
        in_y += y[i] == y[j];
        ++all;
      }
    }
    const double expected = in_x * in_y / all;
    EXPECT_NEAR(agreement(x, y).adjusted_rand, (both - expected) / ((in_x + in_y) / 2 - expected), 1e-12);

    // NMI is linear in the mutual information, so its mean over permutations gives E[MI] / H, which AMI
    // removes: (NMI − mean) / (1 − mean) = AMI.
    double mean = 0, square = 0;
    const int draws = 400;
    for (int r = 0; r < draws; ++r) {
      auto permuted = y;
      const RandomStream stream(r, "test.permutation");
      for (std::int64_t i = n - 1; i > 0; --i) std::swap(permuted[i], permuted[stream.below(i + 1, i)]);
      const double nmi = agreement(x, permuted).normalized_mutual_information;
      mean += nmi / draws;
      square += nmi * nmi / draws;
    }
    const double error = 5 * std::sqrt((square - mean * mean) / draws) / (1 - mean);
    const Agreement a = agreement(x, y);
    EXPECT_NEAR(a.adjusted_mutual_information, (a.normalized_mutual_information - mean) / (1 - mean), error);
  }
}

TEST(Agreement, IsSymmetricAndBlindToNames) {
  const auto x = random_labels(500, 9, 1), y = random_labels(500, 4, 2);
  auto renamed = x;
  for (auto& label : renamed) label = 100000 - 31 * label;
  const Agreement a = agreement(x, y), b = agreement(y, x), c = agreement(renamed, y);
  for (const auto& other : {b, c}) {
    EXPECT_NEAR(a.adjusted_rand, other.adjusted_rand, 1e-14);
    EXPECT_NEAR(a.normalized_mutual_information, other.normalized_mutual_information, 1e-14);
    EXPECT_NEAR(a.adjusted_mutual_information, other.adjusted_mutual_information, 1e-13);
  }
  const Agreement self = agreement(x, renamed);
  EXPECT_EQ(self.adjusted_rand, 1);
  EXPECT_EQ(self.normalized_mutual_information, 1);
  EXPECT_EQ(self.adjusted_mutual_information, 1);
}

TEST(Agreement, ChanceIsZero) {
  const Agreement a = agreement(random_labels(200000, 50, 1), random_labels(200000, 40, 2));
  EXPECT_NEAR(a.adjusted_rand, 0, 1e-4);
  EXPECT_NEAR(a.adjusted_mutual_information, 0, 1e-3);
  EXPECT_GT(a.normalized_mutual_information, 1e-3);  // not adjusted, it is not
}

TEST(Agreement, HasValuesAtTheEnds) {
  using Labels = std::vector<std::int32_t>;
  const Labels same{5, 5, 5, 5, 5}, distinct{1, 2, 3, 4, 5}, some{0, 0, 1, 1, 2};
  for (const auto& [x, y] :
       {std::pair{same, same}, {distinct, distinct}, {Labels{}, Labels{}}, {Labels{1}, Labels{2}}}) {
    const Agreement a = agreement(x, y);
    EXPECT_EQ(a.adjusted_rand, 1);
    EXPECT_EQ(a.normalized_mutual_information, 1);
    EXPECT_EQ(a.adjusted_mutual_information, 1);
  }
  for (const auto& [x, y] : {std::pair{same, distinct}, {same, some}, {distinct, some}}) {
    const Agreement a = agreement(x, y);
    EXPECT_EQ(a.adjusted_rand, 0);
    EXPECT_EQ(a.adjusted_mutual_information, 0);
  }
  EXPECT_NEAR(agreement(distinct, some).normalized_mutual_information, 0.7918756684685216, 1e-14);
  EXPECT_EQ(agreement(same, some).normalized_mutual_information, 0);
  EXPECT_THROW(agreement(same, Labels{1}), Error);
}

}  // namespace
}  // namespace parsimony::graph::scores_test
