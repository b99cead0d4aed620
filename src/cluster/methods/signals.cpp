#include "cluster/methods/signals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "parsimony/core/error.hpp"
#include "parsimony/spectral/density.hpp"
#include "parsimony/spectral/features.hpp"

namespace parsimony::cluster {

std::int64_t automatic_features(std::int64_t points) {
  return whole_lines(std::llround(4 * std::log(std::max(2.0, static_cast<double>(points)))));
}

void find_lambda_k(const spectral::Operator& op, const LambdaStage& stage, ClusterResult& result,
                   const Context& context) {
  Report& report = result.report;
  double& lambda_k = result.lambda_k;
  StageTimer timer(report, "lambda_k");
  if (stage.known > op.lambda_max()) {
    refuse(fmt::format("lambda_k: {} is above the spectrum, which ends at {}", stage.known, op.lambda_max()));
  }
  if (stage.known > 0) {
    lambda_k = stage.known;
  } else if (stage.method == LambdaMethod::moments) {
    const auto density = spectral::spectral_density(op, {.seed = stage.seed}, {}, context);
    lambda_k = density.eigenvalue(static_cast<double>(stage.clusters));
    report.figures.emplace_back("count_standard_error", density.standard_error(lambda_k));
    timer.bytes = density.order() * op.bytes_per_step(density.moments().rows(), false);
    result.density = density;
  } else {
    lambda_k = spectral::lambda_k_by_bisection(op, stage.clusters, stage.order, stage.seed, context);
  }
  report.figures.emplace_back("lambda_k", lambda_k);
}

Matrix<float> filtered_signals(const spectral::Operator& op, std::span<const double> low_pass,
                               std::int64_t features, std::uint64_t seed, Report& report,
                               const Context& context) {
  StageTimer timer(report, "features");
  Matrix<float> signals = spectral::random_features(op, low_pass, features, seed, context);
  timer.bytes = std::ssize(low_pass.subspan(1)) * op.bytes_per_step(whole_lines(features), true);
  return signals;
}

Matrix<float> rows_of(MatrixView<const float> features, std::span<const std::int32_t> nodes) {
  Matrix<float> rows(std::ssize(nodes), features.cols);
  for (std::int64_t s = 0; s < rows.rows(); ++s) {
    std::copy_n(features.row_data(nodes[s]), features.cols, rows.row(s).data());
  }
  return rows;
}

Matrix<float> rows_of(const spectral::Operator& op, MatrixView<const float> features,
                      std::span<const std::int32_t> nodes) {
  const auto first = static_cast<std::int32_t>(op.first_row());
  const auto from = std::lower_bound(nodes.begin(), nodes.end(), first);
  const auto to = std::lower_bound(from, nodes.end(), first + static_cast<std::int32_t>(op.rows()));
  std::vector<std::int32_t> own(from, to);
  for (std::int32_t& node : own) node -= first;
  Matrix<float> rows = rows_of(features, own);
  if (op.processes().count() == 1) return rows;
  const std::vector<float> all = op.processes().gather(std::span<const float>(rows.values()));
  Matrix<float> out(std::ssize(nodes), features.cols);
  std::copy(all.begin(), all.end(), out.data());
  return out;
}

KMeansResult kmeans_once(const Processes& processes, MatrixView<const float> points,
                         std::span<const float> weights, const KMeansOptions& options,
                         MatrixView<const float> initial, const Context& context) {
  if (processes.count() == 1) return kmeans(points, weights, options, initial, context);
  KMeansResult out{.centroids = {options.clusters, points.cols},
                   .labels = std::vector<std::int32_t>(points.rows)};
  std::int64_t figures[3] = {};
  if (processes.rank() == 0) {
    out = kmeans(points, weights, options, initial, context);
    figures[0] = out.report.iterations;
    figures[1] = std::ssize(out.report.objective_history);
    figures[2] = static_cast<std::int64_t>(out.report.status);
  }
  processes.broadcast(std::span<std::int64_t>(figures));
  out.report.iterations = figures[0];
  out.report.objective_history.resize(figures[1]);
  out.report.status = static_cast<Status>(figures[2]);
  processes.broadcast(std::span(out.report.objective_history));
  processes.broadcast(out.centroids.values());
  processes.broadcast(std::span(out.labels));
  processes.broadcast(std::span(&out.objective, 1));
  return out;
}

KMeansResult kmeans_of_all_rows(const spectral::Operator& op, MatrixView<const float> features,
                                std::span<const float> weights, const KMeansOptions& options,
                                MatrixView<const float> initial, const Context& context) {
  const Processes& processes = op.processes();
  if (processes.count() == 1) return kmeans(features, weights, options, initial, context);
  const std::int64_t width = features.cols;
  const std::vector<float> rows =
      processes.collect(std::span(features.data, static_cast<std::size_t>(features.rows * width)));
  const std::vector<float> all_weights = processes.collect(weights);
  KMeansResult out =
      kmeans_once(processes, {rows.data(), op.all_rows(), width}, all_weights, options, initial, context);
  const auto begin = out.labels.begin() + op.first_row();
  out.labels = std::vector<std::int32_t>(begin, begin + op.rows());
  return out;
}

}  // namespace parsimony::cluster
