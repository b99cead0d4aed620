#include "results.hpp"

#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"

namespace parsimony::python {
namespace {

// Values of λ at which a density is given to Python: pictures draw it.
constexpr std::int64_t kDensitySteps = 512;

nb::object density_dict(const std::optional<spectral::SpectralDensity>& density) {
  if (!density) return nb::none();
  std::vector<double> lambdas, counts;
  for (std::int64_t step = 0; step <= kDensitySteps; ++step) {
    lambdas.push_back(density->lambda_max() * static_cast<double>(step) / static_cast<double>(kDensitySteps));
    counts.push_back(density->count(lambdas.back()));
  }
  nb::dict out;
  out["lambdas"] = array_of(std::move(lambdas));
  out["counts"] = array_of(std::move(counts));
  return out;
}

}  // namespace

nb::str report_text(const Report& report) {
  const std::string text = report.to_json(-1);
  return nb::str(text.data(), text.size());
}

nb::dict scores_dict(graph::PartitionScores&& scores) {
  nb::dict out;
  out["modularity"] = scores.modularity;
  out["normalized_cut"] = scores.normalized_cut;
  out["mean_conductance"] = scores.mean_conductance;
  out["conductance"] = array_of(std::move(scores.conductance));
  out["volume"] = array_of(std::move(scores.volume));
  out["cut"] = array_of(std::move(scores.cut));
  out["sizes"] = array_of(std::move(scores.sizes));
  return out;
}

nb::dict choice_dict(cluster::ClusterChoice&& choice) {
  std::vector<std::int64_t> clusters;
  std::vector<double> lambda_k, gap, stability, error;
  for (const cluster::ClusterCandidate& candidate : choice.candidates) {
    clusters.push_back(candidate.clusters);
    lambda_k.push_back(candidate.lambda_k);
    gap.push_back(candidate.gap);
    stability.push_back(candidate.stability);
    error.push_back(candidate.standard_error);
  }
  nb::dict out;
  out["n_clusters"] = choice.clusters;
  out["lambda_k"] = choice.lambda_k;
  out["tried"] = array_of(std::move(clusters));
  out["lambdas"] = array_of(std::move(lambda_k));
  out["gap"] = array_of(std::move(gap));
  out["stability"] = array_of(std::move(stability));
  out["standard_error"] = array_of(std::move(error));
  out["density"] = density_dict(choice.density);
  out["report"] = report_text(choice.report);
  return out;
}

nb::dict result_dict(cluster::ClusterResult&& result) {
  nb::dict out;
  out["labels"] = array_of(std::move(result.labels));
  out["n_clusters"] = result.clusters;
  out["lambda_k"] = result.lambda_k;
  out["density"] = density_dict(result.density);
  out["report"] = report_text(result.report);
  return out;
}

nb::dict clustering_dict(cluster::Clustering&& clustering) {
  nb::dict out = result_dict(std::move(static_cast<cluster::ClusterResult&>(clustering)));
  out["scores"] = scores_dict(std::move(clustering.scores));
  out["choice"] = nb::none();
  if (clustering.choice) out["choice"] = choice_dict(std::move(*clustering.choice));
  return out;
}

}  // namespace parsimony::python
