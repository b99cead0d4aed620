#include "parsimony/spectral/chebyshev.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "dense.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/spectral/density.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::spectral::chebyshev_test {
namespace {

using graph::LaplacianKind;

// The sum Σ c_j cos(j acos x), term by term.
double plain_sum(std::span<const double> c, double lambda_max, double lambda) {
  const double x = std::clamp(2 * lambda / lambda_max - 1, -1.0, 1.0);
  double sum = 0;
  for (std::size_t j = 0; j < c.size(); ++j) sum += c[j] * std::cos(static_cast<double>(j) * std::acos(x));
  return sum;
}

TEST(LowPass, StaysBetweenZeroAndOneAndFallsAroundTheCutoff) {
  for (const int order : {1, 10, 50, 200}) {
    const auto h = low_pass(0.6, 2, order);
    for (int i = 0; i <= 1000; ++i) {
      const double value = evaluate(h, 2, 2 * i / 1000.0);
      EXPECT_GE(value, -1e-9);
      EXPECT_LE(value, 1 + 1e-9);
    }
  }
  const auto sharp = low_pass(0.6, 2, 1000);
  EXPECT_GT(evaluate(sharp, 2, 0.55), 0.999);
  EXPECT_LT(evaluate(sharp, 2, 0.65), 0.001);
  EXPECT_NEAR(evaluate(sharp, 2, 0.6), 0.5, 0.01);
}

TEST(LowPass, CoefficientsAreTheIntegralsOfTheStep) {
  // c_j = (2 − δ_j0)/π ∫ h(cos t) cos(jt) dt by the midpoint rule, times the damping.
  const double cutoff = 0.5, lambda_max = 3;
  const int order = 12, steps = 200000;
  const auto h = low_pass(cutoff, lambda_max, order);
  const auto g = jackson_damping(order);
  EXPECT_DOUBLE_EQ(g[0], 1);
  for (int j = 0; j <= order; ++j) {
    double integral = 0;
    for (int s = 0; s < steps; ++s) {
      const double t = (s + 0.5) * std::numbers::pi / steps;
      if (lambda_max * (std::cos(t) + 1) / 2 <= cutoff)
        integral += std::cos(j * t) * std::numbers::pi / steps;
    }
    EXPECT_NEAR(h[j], g[j] * (j ? 2 : 1) / std::numbers::pi * integral, 1e-4) << j;
  }
}

TEST(Evaluate, ClenshawEqualsTheSumAndTheComplementAddsToOne) {
  const auto h = low_pass(0.3, 2, 37);
  const auto g = complement(h);
  for (const double lambda : {0.0, 0.1, 0.29, 0.31, 1.0, 1.99, 2.0}) {
    EXPECT_NEAR(evaluate(h, 2, lambda), plain_sum(h, 2, lambda), 1e-12);
    EXPECT_NEAR(evaluate(h, 2, lambda) + evaluate(g, 2, lambda), 1, 1e-12);
  }
}

struct Setting {
  LaplacianKind kind;
  double regularization;
  bool weighted;
};

// In the name of the test.
void PrintTo(const Setting& setting, std::ostream* out) {
  *out << enum_name(setting.kind) << (setting.weighted ? " weighted" : "") << " regularized by "
       << setting.regularization;
}

class FilterAgainstDenseEigenvectors : public ::testing::TestWithParam<Setting> {};

TEST_P(FilterAgainstDenseEigenvectors, GivesThePolynomialOfTheLaplacian) {
  const auto [kind, regularization, weighted] = GetParam();
  constexpr std::int64_t kNodes = 60, kWidth = 16;
  testing::Dense w = testing::random_adjacency(kNodes, 0.1, weighted, 5);
  for (std::int64_t j = 0; j < kNodes; ++j) w[7][j] = w[j][7] = 0;  // an isolated node
  const Csr csr = testing::to_csr(w, weighted);
  const auto laplacian = graph::make_laplacian(csr, kind, regularization);
  const auto eigen = testing::eigen_decomposition(testing::dense_laplacian(w, kind, regularization));
  ASSERT_LE(eigen.values.back(), laplacian.lambda_max * (1 + 1e-6));
  ASSERT_GE(eigen.values.front(), -1e-9);

  Matrix<float> signals(kNodes, kWidth);
  RandomStream(3, "test").fill_normal(signals.values());
  const Matrix<float> before = signals;
  const auto h = low_pass(0.4 * laplacian.lambda_max, laplacian.lambda_max, 30);
  filter(laplacian, h, signals);

  for (std::int64_t c = 0; c < kWidth; ++c) {
    std::vector<double> expected(kNodes);
    for (std::int64_t k = 0; k < kNodes; ++k) {
      double projection = 0;
      for (std::int64_t i = 0; i < kNodes; ++i) projection += eigen.vectors[k][i] * before(i, c);
      projection *= plain_sum(h, laplacian.lambda_max, eigen.values[k]);
      for (std::int64_t i = 0; i < kNodes; ++i) expected[i] += projection * eigen.vectors[k][i];
    }
    // Rounding of 30 float32 steps on values of size ~1, times the spread of the scaling S.
    for (std::int64_t i = 0; i < kNodes; ++i) EXPECT_NEAR(signals(i, c), expected[i], 2e-4) << i << ", " << c;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryLaplacian, FilterAgainstDenseEigenvectors,
                         ::testing::Values(Setting{LaplacianKind::normalized, 0, false},
                                           Setting{LaplacianKind::normalized, 0, true},
                                           Setting{LaplacianKind::normalized, 5, false},
                                           Setting{LaplacianKind::normalized, 5, true},
                                           Setting{LaplacianKind::combinatorial, 0, false},
                                           Setting{LaplacianKind::combinatorial, 0, true}));

// The distance to the projection on the eigenvectors below the cut-off is at most the largest distance of the
// polynomial to the step on the spectrum: ‖h(L) x − P x‖ ≤ max_i |h(λ_i) − 1[λ_i ≤ c]| ‖x‖.
TEST(Filter, IsAsFarFromTheProjectionAsThePolynomialFromTheStep) {
  constexpr std::int64_t kNodes = 60;
  const testing::Dense w = testing::block_adjacency(3, 20, 0.8, 0.05, 2);
  const Csr csr = testing::to_csr(w, false);
  const auto eigen = testing::eigen_decomposition(testing::dense_laplacian(w, LaplacianKind::normalized));
  const double cutoff = (eigen.values[2] + eigen.values[3]) / 2;
  double previous = 1;
  for (const int order : {10, 20, 40, 80}) {
    const auto h = low_pass(cutoff, 2, order);
    double bound = 0;
    for (std::size_t k = 0; k < kNodes; ++k) {
      bound = std::max(bound, std::abs(plain_sum(h, 2, eigen.values[k]) - (k < 3 ? 1 : 0)));
    }
    EXPECT_LT(bound, previous);
    previous = bound;
    Matrix<float> signals(kNodes, 16);
    RandomStream(3, "test").fill_normal(signals.values());
    const Matrix<float> before = signals;
    filter(graph::make_laplacian(csr), h, signals);
    for (std::int64_t c = 0; c < 16; ++c) {
      double error = 0, norm = 0;
      for (std::int64_t i = 0; i < kNodes; ++i) {
        double projected = 0;
        for (std::size_t k = 0; k < 3; ++k) {
          for (std::int64_t j = 0; j < kNodes; ++j) {
            projected += eigen.vectors[k][i] * eigen.vectors[k][j] * before(j, c);
          }
        }
        error += std::pow(signals(i, c) - projected, 2);
        norm += std::pow(before(i, c), 2);
      }
      EXPECT_LE(std::sqrt(error), bound * std::sqrt(norm) + 1e-4) << "order " << order;
    }
  }
  EXPECT_LT(previous, 0.02) << "a bound that says something";
}

TEST(Filter, SameBytesForAnyNumberOfThreads) {
  const Csr csr = testing::to_csr(testing::random_adjacency(300, 0.05, true, 9), true);
  // 20 copies side by side: enough rows for several blocks.
  Csr many;
  for (int copy = 0; copy < 20; ++copy) {
    for (std::int64_t i = 0; i < csr.rows(); ++i) {
      for (auto e = csr.offsets[i]; e < csr.offsets[i + 1]; ++e) {
        many.columns.push_back(csr.columns[e] + static_cast<std::int32_t>(copy * csr.rows()));
        many.values.push_back(csr.values[e]);
      }
      many.offsets.push_back(many.entries());
    }
  }
  const auto laplacian = graph::make_laplacian(many);
  const auto h = low_pass(0.5, 2, 20);
  const auto one = random_features(laplacian, h, 70, 1, Context(1));
  for (const int threads : {2, 3}) {
    const auto other = random_features(laplacian, h, 70, 1, Context(threads));
    EXPECT_TRUE(std::equal(one.values().begin(), one.values().end(), other.values().begin())) << threads;
  }
}

// E‖f_i − f_j‖² = ‖h(L)(δ_i − δ_j)‖²; over 64 signals each estimate has relative standard deviation √(2/64) =
// 0.18, and the mean over 435 pairs, dependent as they are, stays within a tenth.
TEST(RandomFeatures, KeepTheSpectralDistancesOnAverage) {
  const testing::Dense w = testing::block_adjacency(3, 10, 0.9, 0.1, 2);
  const Csr csr = testing::to_csr(w, false);
  const auto eigen = testing::eigen_decomposition(testing::dense_laplacian(w, LaplacianKind::normalized));
  const auto h = low_pass(0.6, 2, 50);
  const auto features = random_features(graph::make_laplacian(csr), h, 64, 11);
  double ratio = 0;
  int pairs = 0;
  for (std::int64_t i = 0; i < 30; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      double exact = 0, found = 0;
      for (std::size_t k = 0; k < 30; ++k) {
        const double d = plain_sum(h, 2, eigen.values[k]) * (eigen.vectors[k][i] - eigen.vectors[k][j]);
        exact += d * d;
      }
      for (std::int64_t c = 0; c < 64; ++c) found += std::pow(features(i, c) - features(j, c), 2.0);
      EXPECT_GT(found / exact, 0.2);
      EXPECT_LT(found / exact, 2.5);
      ratio += found / exact;
      ++pairs;
    }
  }
  EXPECT_NEAR(ratio / pairs, 1, 0.15);
}

// Rows are those of the identity scaled by anything float32 holds, the smallest included.
TEST(NormalizeRows, GivesUnitRowsAndLeavesZeros) {
  Matrix<float> rows(5, 16);
  const float sizes[] = {1, 1e30f, 1e-20f, 1e-42f, 0};
  for (std::int64_t i = 0; i < 5; ++i) rows(i, 3 * i) = -sizes[i];
  normalize_rows(rows);
  for (std::int64_t i = 0; i < 5; ++i) {
    for (std::int64_t c = 0; c < 16; ++c) {
      EXPECT_FLOAT_EQ(rows(i, c), i < 4 && c == 3 * i ? -1.0f : 0.0f) << i << ", " << c;
    }
  }
}

TEST(Filter, CancelsWithinAStep) {
  const Csr csr = testing::to_csr(testing::random_adjacency(50, 0.2, false, 1), false);
  const auto laplacian = graph::make_laplacian(csr);
  std::stop_source source;
  Context context(1);
  context.stop = source.get_token();
  int steps = 0;
  context.on_progress = [&](std::string_view, std::int64_t, std::int64_t) {
    if (++steps == 5) source.request_stop();
  };
  Matrix<float> signals(50, 16);
  try {
    filter(laplacian, low_pass(0.5, 2, 50), signals, context);
    FAIL() << "was not cancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
    EXPECT_LE(steps, 6);
  }
}

TEST(Filter, RefusesAPanelOfTheWrongShape) {
  const Csr csr = testing::to_csr(testing::random_adjacency(10, 0.5, false, 1), false);
  const auto laplacian = graph::make_laplacian(csr);
  Matrix<float> narrow(10, 5), shorter(9, 16);
  EXPECT_THROW(filter(laplacian, low_pass(0.5, 2, 5), narrow), Error);
  EXPECT_THROW(filter(laplacian, low_pass(0.5, 2, 5), shorter), Error);
  Matrix<float> fits(10, 16);
  EXPECT_THROW(filter(laplacian, {}, fits), Error);
}

// With a lower end, [lambda_min, lambda_max] is what becomes [−1, 1]: an eigenvector comes back T_m times as
// long, which below lambda_min is cosh(m acosh |x|).
TEST(LaplacianOperator, OfAPartOfTheSpectrumGrowsBelowIt) {
  constexpr int kDegree = 7;
  const testing::Dense w = testing::random_adjacency(40, 0.2, true, 2);
  const Csr csr = testing::to_csr(w, true);
  for (const auto kind : {LaplacianKind::normalized, LaplacianKind::combinatorial}) {
    const auto laplacian = graph::make_laplacian(csr, kind);
    const double lambda_min = 0.3 * laplacian.lambda_max;
    const auto eigen = testing::eigen_decomposition(testing::dense_laplacian(w, kind));
    const Context context(1);
    const LaplacianOperator op(laplacian, context, lambda_min);
    int below = 0;
    for (std::size_t k = 0; k < eigen.values.size(); ++k) {
      Matrix<float> panel(40, 16), work(40, 16);
      for (std::int64_t i = 0; i < 40; ++i) {
        panel(i, 0) = static_cast<float>(eigen.vectors[k][i] / laplacian.scale[i]);
      }
      chebyshev_recurrence(op, kDegree, panel.view(), work.view(), [](int) { return FusedStep{}; });
      const double x =
          (2 * eigen.values[k] - lambda_min - laplacian.lambda_max) / (laplacian.lambda_max - lambda_min);
      below += x < -1;
      const double factor =
          x < -1 ? -std::cosh(kDegree * std::acosh(-x)) : std::cos(kDegree * std::acos(std::min(x, 1.0)));
      for (std::int64_t i = 0; i < 40; ++i) {  // an odd degree ends in the other panel
        EXPECT_NEAR(work(i, 0) * laplacian.scale[i], factor * eigen.vectors[k][i],
                    1e-5 * (1 + std::abs(factor)));
      }
    }
    EXPECT_GT(below, 0);
  }
}

// An operator of the test's own: a dense normalised Laplacian that holds all rows and one more, as room for
// rows of others.
class DenseOperator : public Operator {
 public:
  explicit DenseOperator(const testing::Dense& w) : w_(w), scale_(w.size()) {
    for (std::size_t i = 0; i < w.size(); ++i) {
      scale_[i] = static_cast<float>(std::sqrt(std::accumulate(w[i].begin(), w[i].end(), 0.0)));
    }
  }
  std::int64_t rows() const override { return std::ssize(scale_); }
  std::int64_t all_rows() const override { return rows(); }
  std::int64_t first_row() const override { return 0; }
  double lambda_max() const override { return 2; }
  double regularization() const override { return 0; }
  std::span<const float> scale() const override { return scale_; }
  bool has_edges(std::int64_t) const override { return true; }
  Matrix<float> panel(std::int64_t width) const override { return {rows() + 1, width}; }
  std::unique_ptr<Operator> above(double) const override { return nullptr; }
  std::int64_t bytes_per_step(std::int64_t, bool) const override { return 0; }
  void apply(const FusedStep& step) const override {
    std::fill(step.squares.begin(), step.squares.end(), 0.0);
    std::fill(step.products.begin(), step.products.end(), 0.0);
    for (std::int64_t i = 0; i < rows(); ++i) {
      const double degree = static_cast<double>(scale_[i]) * scale_[i];
      for (std::int64_t c = 0; c < step.current.cols; ++c) {
        double sum = 0;  // L̃ = L − I = −D⁻¹ W
        for (std::int64_t j = 0; j < rows(); ++j) sum -= w_[i][j] / degree * step.current(j, c);
        const double next = step.first ? sum : 2 * sum - step.previous(i, c);
        step.previous(i, c) = static_cast<float>(next);
        if (step.accumulator) (*step.accumulator)(i, c) += static_cast<float>(step.coefficient * next);
        if (step.squares.empty()) continue;
        step.squares[c] += degree * next * next;
        step.products[c] += degree * next * step.current(i, c);
      }
    }
  }

 private:
  const testing::Dense& w_;
  std::vector<float> scale_;
};

TEST(Operator, AnyOneServesDensityAndFeatures) {
  const testing::Dense w = testing::random_adjacency(60, 0.3, true, 4);
  const Csr csr = testing::to_csr(w, true);
  const auto laplacian = graph::make_laplacian(csr);
  const DenseOperator op(w);
  const SpectralDensity dense = spectral_density(op, {.order = 20, .seed = 3});
  const SpectralDensity sparse = spectral_density(laplacian, {.order = 20, .seed = 3});
  for (std::int64_t i = 0; i < dense.moments().size(); ++i) {
    EXPECT_NEAR(dense.moments().data()[i], sparse.moments().data()[i], 1e-3);
  }
  const auto h = low_pass(0.8, 2, 20);
  const Matrix<float> one = random_features(op, h, 40, 5), other = random_features(laplacian, h, 40, 5);
  for (std::int64_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one.data()[i], other.data()[i], 1e-5);
}

}  // namespace
}  // namespace parsimony::spectral::chebyshev_test
