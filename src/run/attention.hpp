// Attention of texts that lie side by side.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::run {

/// A text in a batch: its tokens are rows [begin, end).
struct TextRows {
  std::int64_t begin = 0, end = 0;
};

/// out = softmax(q kᵀ / √e) v for each text and each head of e = cols / heads values [vaswani2017attention].
/// q, k, v and out: tokens × width; out must not overlap the others. Scores are never stored as a whole: 32
/// queries at a time.
void attend(std::span<const TextRows> texts, std::int64_t heads, MatrixView<const float> q,
            MatrixView<const float> k, MatrixView<const float> v, MatrixView<float> out,
            const Context& context);

/// Bytes that a thread of attend() needs for a text of so many tokens.
std::int64_t attention_bytes(std::int64_t tokens, std::int64_t each);

}  // namespace parsimony::run
