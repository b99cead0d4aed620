// Fields that the options of several methods have, so that all of them use the same words and ranges.
#pragma once

#include "parsimony/core/options.hpp"

namespace parsimony::cluster::fields {

inline constexpr Field clusters{"clusters", "number of clusters k", 1, 1 << 30};
inline constexpr Field laplacian{"laplacian",
                                 "Laplacian of the graph; combinatorial where all degrees are alike"};
inline constexpr Field regularization{
    "regularization",
    "tau added to the degrees; raise it when nodes of few edges become clusters of their own",
    0,
    1e30,
    "auto",
    -1};
inline constexpr Field order{
    "order", "degree p of the Jackson-Chebyshev filter; raise it when eigenvalues lie close together", 1,
    100000};
inline constexpr Field features{"features", "random signals d; auto: round(4 ln samples)", 1, 1 << 20, "auto",
                                0};
inline constexpr Field samples{
    "samples", "nodes that k-means sees; auto: 2 k ln k, at least 20 k and 1000", 1, 1 << 30, "auto", 0};
inline constexpr Field lambda_method{"lambda_method", "how the cut-off lambda_k is found"};
inline constexpr Field lambda_k{
    "lambda_k", "cut-off lambda_k of an earlier run, which saves finding it", 0, 1e30, "auto", 0};
inline constexpr Field error{
    "error", "keep distances within 1 +- this by the choice of features and order; 0: no such control", 0,
    0.999};
inline constexpr Field failure_probability{
    "failure_probability", "probability that a pair of nodes misses the error bound", 1e-300, 0.999};
inline constexpr Field objective{"objective",
                                 "what makes a partition good; auto: by the triangles of the graph"};
inline constexpr Field effort{"effort", "how long to search; thorough where clusters are hard to tell apart"};
inline constexpr Field assign{"assign", "how labels reach all nodes"};
inline constexpr Field sampling{"sampling", "how the sampled nodes are drawn"};
inline constexpr Field oversampling{"oversampling",
                                    "columns of the subspace beyond k; auto: a quarter of k, at least 16",
                                    1,
                                    1 << 20,
                                    "auto",
                                    0};
inline constexpr Field eigen_tolerance{"eigen_tolerance",
                                       "residual of the eigenvectors in units of lambda_max / 2", 0, 1};
inline constexpr Field passes{
    "passes", "most passes of filter and Rayleigh-Ritz; raise it when a run does not converge", 1, 1e6};
inline constexpr Field restarts{"restarts", "runs of k-means; the best is kept", 1, 10000};
inline constexpr Field refine{
    "refine",
    "work after the method: none, Lloyd's iterations on all rows (compressive only), local moves of nodes"};

}  // namespace parsimony::cluster::fields
