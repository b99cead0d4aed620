// Errors of the recipes that a weight may get, from samples of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parsimony/quant/compress.hpp"
#include "parsimony/quant/weight_view.hpp"
#include "quant/codes/error_feedback.hpp"

namespace parsimony::quant {

/// Estimates the relative error Σ a (w − ŵ)² / Σ a w² of each candidate; 0 for a weight of zeros.
///
/// Integers: by some 2^15 values of outputs drawn from all, times the ratio of the predicted errors, step² /
/// 12 for each value, of all outputs to those drawn. Products: by k-means of eight iterations on 2^15 blocks
/// drawn from all, small and large ones in the shares that the weight has; more than 256 centroids from the
/// errors with fewer, whose logarithm falls evenly with that of the number. An error of k-means is that of
/// points it has seen, and is corrected for their number, so that samples and whole weights compare. The
/// estimates are within about a tenth of what the codes of the whole weight have.
///
/// feedback: nullptr, or how the codes of integers will make up for each other's errors. Their estimates are
/// then those of the outputs, Σ (x · (w − ŵ))² / Σ a w² with samples x whose mean square is a.
///
/// O(candidates · 2^20) and one pass over the values, however large the weight is. The same for any number of
/// threads.
std::vector<double> estimate_errors(const WeightView& weight, std::span<const WeightRecipe> candidates,
                                    const CompressOptions& options, const ErrorFeedback* feedback,
                                    const Context& context);

}  // namespace parsimony::quant
