// The methods on filtered signals from their operator on. Its rows may be shared out over several processes:
// what is one for each node is then here for the nodes of this process.
#pragma once

#include <cstdint>
#include <span>

#include "cluster/methods/placement.hpp"
#include "parsimony/cluster/compressive.hpp"
#include "parsimony/cluster/filtered.hpp"
#include "parsimony/cluster/result.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/spectral/operator.hpp"

namespace parsimony::cluster {

/// The options with every automatic value filled in, so that the report says which were used. `nodes`
/// counts those of the whole graph, and `connected` those that have edges. regularization: τ ≥ 0.
CompressiveOptions settled_options(const CompressiveOptions& requested, std::int64_t nodes,
                                   std::int64_t connected, double regularization, bool warm);

FilteredOptions settled_options(const FilteredOptions& requested, std::int64_t connected,
                                double regularization, bool warm);

/// Throws invalid_argument for combinations that the ranges of single fields allow.
void check_compressive_options(const CompressiveOptions& options);
void check_filtered_options(const FilteredOptions& options);

/// Bytes of run_compressive() on this many rows of `nodes`, and their ghosts, in one process.
std::int64_t compressive_bytes(std::int64_t rows, std::int64_t ghosts, std::int64_t nodes,
                               const CompressiveOptions& options, int threads);

/// The same for run_filtered(); collects: this process of several runs k-means on the rows of all.
std::int64_t filtered_bytes(std::int64_t rows, std::int64_t ghosts, std::int64_t nodes,
                            const FilteredOptions& options, int threads, bool collects);

/// Compressive spectral clustering from the cut-off on: labels, λ_k, stages and figures go to the result.
/// samples_given: the caller has chosen their number. `initial`: as for compressive_spectral_clustering. Over
/// several processes it throws unsupported for options that need all rows in one.
void run_compressive(const spectral::Operator& op, const ConnectedNodes& connected,
                     std::span<const std::int32_t> initial, CompressiveOptions settled, bool samples_given,
                     ClusterResult& result, const Context& context);

/// Filtered spectral clustering in the same way. k-means runs on all rows, in process 0.
void run_filtered(const spectral::Operator& op, const ConnectedNodes& connected,
                  std::span<const std::int32_t> initial, const FilteredOptions& settled,
                  ClusterResult& result, const Context& context);

}  // namespace parsimony::cluster
