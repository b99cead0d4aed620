#include "cluster/methods/signals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "parsimony/core/error.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "parsimony/spectral/density.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {

std::int64_t automatic_features(std::int64_t points) {
  return whole_lines(std::llround(4 * std::log(std::max(2.0, static_cast<double>(points)))));
}

void find_lambda_k(const graph::Laplacian& laplacian, const LambdaStage& stage, ClusterResult& result,
                   const Context& context) {
  Report& report = result.report;
  double& lambda_k = result.lambda_k;
  StageTimer timer(report, "lambda_k");
  if (stage.known > laplacian.lambda_max) {
    refuse(fmt::format("lambda_k: {} is above the spectrum, which ends at {}", stage.known,
                       laplacian.lambda_max));
  }
  if (stage.known > 0) {
    lambda_k = stage.known;
  } else if (stage.method == LambdaMethod::moments) {
    const auto density = spectral::spectral_density(laplacian, {.seed = stage.seed}, context);
    lambda_k = density.eigenvalue(static_cast<double>(stage.clusters));
    report.figures.emplace_back("count_standard_error", density.standard_error(lambda_k));
    const spectral::LaplacianOperator cost(laplacian, context);
    timer.bytes = density.order() * cost.bytes_per_step(density.moments().rows(), false);
    result.density = density;
  } else {
    lambda_k = spectral::lambda_k_by_bisection(laplacian, stage.clusters, stage.order, stage.seed, context);
  }
  report.figures.emplace_back("lambda_k", lambda_k);
}

Matrix<float> filtered_signals(const graph::Laplacian& laplacian, std::span<const double> low_pass,
                               std::int64_t features, std::uint64_t seed, Report& report,
                               const Context& context) {
  StageTimer timer(report, "features");
  Matrix<float> signals = spectral::random_features(laplacian, low_pass, features, seed, context);
  const spectral::LaplacianOperator cost(laplacian, context);
  timer.bytes = std::ssize(low_pass.subspan(1)) * cost.bytes_per_step(whole_lines(features), true);
  return signals;
}

Matrix<float> rows_of(MatrixView<const float> features, std::span<const std::int32_t> nodes) {
  Matrix<float> rows(std::ssize(nodes), features.cols);
  for (std::int64_t s = 0; s < rows.rows(); ++s) {
    std::copy_n(features.row_data(nodes[s]), features.cols, rows.row(s).data());
  }
  return rows;
}

}  // namespace parsimony::cluster
