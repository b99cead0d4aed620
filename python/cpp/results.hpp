// Results of clustering as values of Python.
#pragma once

#include <optional>

#include "call.hpp"
#include "parsimony/cluster/cluster.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/graph/scores.hpp"
#include "parsimony/spectral/density.hpp"

namespace parsimony::python {

/// The text of Report::to_json on one line, which parsimony_ml._report reads.
nb::str report_text(const Report& report);
/// The fields of the struct by their names.
nb::dict scores_dict(graph::PartitionScores&& scores);
/// clusters, lambda_k, the arrays of the candidates by the names of their fields, density.
nb::dict choice_dict(cluster::ClusterChoice&& choice);
/// labels, clusters, lambda_k, density, report.
nb::dict result_dict(cluster::ClusterResult&& result);
/// The same with scores and choice (or None).
nb::dict clustering_dict(cluster::Clustering&& clustering);

}  // namespace parsimony::python
