// The stages of the methods on filtered random signals: the cut-off λ_k and the features.
#pragma once

#include <cstdint>
#include <span>

#include "cluster/methods/memory.hpp"
#include "parsimony/cluster/lambda_method.hpp"
#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/kmeans.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/laplacian.hpp"
#include "parsimony/spectral/operator.hpp"

namespace parsimony::cluster {

/// Most rounds of exchanges in k-means; two or three end nearly every run.
inline constexpr int kExchanges = 10;

/// round(4 ln n), the authors' number of signals for n points, rounded up to whole cache lines: signals that
/// share a line are filtered at no extra cost.
std::int64_t automatic_features(std::int64_t points);

/// The regularisation τ that the options ask for, or the automatic one; the combinatorial Laplacian has none.
template <class Options>
double settled_regularization(const Options& options, CsrView adjacency) {
  if (options.regularization >= 0) return options.regularization;
  return options.laplacian == graph::LaplacianKind::combinatorial
             ? 0
             : graph::automatic_regularization(adjacency);
}

struct LambdaStage {
  std::int64_t clusters = 0;
  double known = 0;  ///< λ_k of an earlier run; 0: to be found
  LambdaMethod method = LambdaMethod::moments;
  int order = 0;
  std::uint64_t seed = 0;
};

/// Finds λ_k by the method asked for, as stage "lambda_k" of the report with its figures, and stores it in
/// the result, with the density when one was computed. Throws invalid_argument for a known λ_k above the
/// spectrum.
void find_lambda_k(const spectral::Operator& op, const LambdaStage& stage, ClusterResult& result,
                   const Context& context);
template <class Options>
LambdaStage lambda_stage(const Options& options) {
  return {options.clusters, options.lambda_k, options.lambda_method, options.order, options.seed};
}

/// spectral::random_features as stage "features" of the report.
Matrix<float> filtered_signals(const spectral::Operator& op, std::span<const double> low_pass,
                               std::int64_t features, std::uint64_t seed, Report& report,
                               const Context& context);

/// The rows of these nodes, in their order.
Matrix<float> rows_of(MatrixView<const float> features, std::span<const std::int32_t> nodes);
/// The same where each process has the features of its own rows, and `nodes` ascend by the position among
/// all.
Matrix<float> rows_of(const spectral::Operator& op, MatrixView<const float> features,
                      std::span<const std::int32_t> nodes);

/// kmeans() in process 0, with its result in all: the machines need not have the same SIMD target. The others
/// need no data behind the points and weights.
KMeansResult kmeans_once(const Processes& processes, MatrixView<const float> points,
                         std::span<const float> weights, const KMeansOptions& options,
                         MatrixView<const float> initial, const Context& context);
/// The same on the rows of all processes, which process 0 collects; labels are those of the own rows.
KMeansResult kmeans_of_all_rows(const spectral::Operator& op, MatrixView<const float> features,
                                std::span<const float> weights, const KMeansOptions& options,
                                MatrixView<const float> initial, const Context& context);

}  // namespace parsimony::cluster
