// What the methods on filtered random signals share: checks, automatic values, λ_k and the features.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "parsimony/cluster/lambda_method.hpp"
#include "parsimony/cluster/refine.hpp"
#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/csr.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/laplacian.hpp"
#include "spectral/panel.hpp"

namespace parsimony::cluster {

inline constexpr std::int64_t kLine = spectral::kPanelWidth;        // panels are whole cache lines of floats
inline constexpr std::int64_t kColumns = spectral::kMaxPanelWidth;  // columns filtered at a time

/// Rounds of k-means' exchanges: two or three end nearly every run.
inline constexpr int kExchanges = 10;

/// Columns filled up to a panel of whole cache lines.
std::int64_t whole_lines(std::int64_t columns);

/// round(4 ln n), the authors' number of signals for n points, filled up to whole cache lines: the signals
/// that share a line are filtered at no cost.
std::int64_t automatic_features(std::int64_t points);

/// Bytes of a matrix of floats; large ones take whole huge pages.
std::int64_t matrix_bytes(std::int64_t rows, std::int64_t columns);
/// Peak bytes of the two stages below.
std::int64_t lambda_k_bytes(std::int64_t nodes, LambdaMethod method);
std::int64_t features_bytes(std::int64_t nodes, std::int64_t features);

/// Throws memory_limit when a run that needs `memory` bytes has a limit below that; `advice` says what needs
/// less.
void check_memory(std::int64_t memory, std::int64_t limit, std::string_view advice);

/// Throws invalid_argument between -1 (automatic) and 0.
void check_regularization(double regularization);

/// Throws invalid_argument for what the ranges of single fields do not say.
template <class Options>
void check_filtering(const Options& options, std::int64_t nodes) {
  if (options.clusters > nodes) {
    refuse(fmt::format("clusters: {} is more than the {} nodes of the graph", options.clusters, nodes));
  }
  check_regularization(options.regularization);
}

/// Throws invalid_argument for what only compressive clustering can do.
void check_refinement(Refinement refine);
/// Bytes of refine_by_moves.
std::int64_t refinement_bytes(Refinement refine, std::int64_t nodes);

/// The τ asked for, or the automatic one; the combinatorial Laplacian has none.
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

/// λ_k by the method asked for, as the stage "lambda_k" of the report with its figures; into `result` with
/// the density, where there is one. Throws invalid_argument for a known λ_k above the spectrum.
void find_lambda_k(const graph::Laplacian& laplacian, const LambdaStage& stage, ClusterResult& result,
                   const Context& context);
template <class Options>
LambdaStage lambda_stage(const Options& options) {
  return {options.clusters, options.lambda_k, options.lambda_method, options.order, options.seed};
}

/// spectral::random_features as the stage "features" of the report.
Matrix<float> filtered_signals(const graph::Laplacian& laplacian, std::span<const double> low_pass,
                               std::int64_t features, std::uint64_t seed, Report& report,
                               const Context& context);

/// The rows of these nodes, in their order.
Matrix<float> rows_of(MatrixView<const float> features, std::span<const std::int32_t> nodes);

}  // namespace parsimony::cluster
