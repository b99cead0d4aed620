// Texts become the inputs of an encoder.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/data/sentence_tokenizer.hpp"
#include "parsimony/models/sentence_task.hpp"

namespace parsimony::models {

/// The texts of these numbers, n × 2 × t: tokens and types, padded to the longest.
torch::Tensor sentence_inputs(const std::vector<data::EncodedText>& texts,
                              std::span<const std::int64_t> which, std::int64_t padding);

/// Calls back with batches of texts of like lengths, so that little is padding, and their numbers.
void for_each_batch(const std::vector<data::EncodedText>& texts, std::int64_t padding, const char* stage,
                    const Context& context,
                    const std::function<void(const torch::Tensor&, std::span<const std::int64_t>)>& body);

/// Spearman's correlation of ranks; equal values share the mean of their ranks. 0 where one side is constant.
double rank_correlation(std::span<const double> a, std::span<const double> b);

/// "accuracy", "loss" and, of two classes, "matthews", by the logits of the evaluation texts.
std::map<std::string, double> class_figures(const SentenceData& data, MatrixView<const float> logits);

/// "spearman", by the vectors of both sentences of each pair, of length 1.
std::map<std::string, double> similarity_figures(const SentenceSet& set, MatrixView<const float> first,
                                                 MatrixView<const float> second);

}  // namespace parsimony::models
