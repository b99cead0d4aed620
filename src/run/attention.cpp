#include "run/attention.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/matrix_product.hpp"
#include "kernels/round_up.hpp"
#include "kernels/softmax.hpp"

namespace parsimony::run {
namespace {

constexpr std::int64_t kQueries = 32;
static_assert(kernels::kProductColumns<float> == kernels::kSoftmaxPadding);

void attend_head(const TextRows& text, std::int64_t first, std::int64_t each, MatrixView<const float> q,
                 MatrixView<const float> k, MatrixView<const float> v, MatrixView<float> out) {
  const std::int64_t tokens = text.end - text.begin;
  const std::int64_t padded = kernels::round_up(tokens, kernels::kProductColumns<float>),
                     wide = kernels::round_up(each, kernels::kProductColumns<float>);
  const std::int64_t queries = std::min(kQueries, tokens);
  Matrix<float> memory(1, each * padded + tokens * wide + queries * (padded + wide));
  float* next = memory.data();
  const auto part = [&](std::int64_t rows, std::int64_t columns) {
    return MatrixView<float>(std::exchange(next, next + rows * columns), rows, columns);
  };
  const MatrixView<float> keys = part(each, padded), values = part(tokens, wide),
                          scores = part(queries, padded), sums = part(queries, wide);
  for (std::int64_t t = 0; t < tokens; ++t) {
    const float* key = k.row_data(text.begin + t) + first;
    for (std::int64_t j = 0; j < each; ++j) keys(j, t) = key[j];
    std::copy_n(v.row_data(text.begin + t) + first, each, values.row(t).data());
  }
  const float scale = 1 / std::sqrt(static_cast<float>(each));
  for (std::int64_t begin = 0; begin < tokens; begin += kQueries) {
    const std::int64_t count = std::min(kQueries, tokens - begin);
    kernels::matrix_product<float>({q.row_data(text.begin + begin) + first, q.stride, 1}, count, each,
                                   keys.data, padded, scores.data, false);
    for (std::int64_t r = 0; r < count; ++r) {
      kernels::softmax(scores.row(r).data(), tokens, padded, scale);
    }
    kernels::matrix_product<float>({scores.data, padded, 1}, count, tokens, values.data, wide, sums.data,
                                   false);
    for (std::int64_t r = 0; r < count; ++r) {
      std::copy_n(sums.row(r).data(), each, out.row_data(text.begin + begin + r) + first);
    }
  }
}

}  // namespace

void attend(std::span<const TextRows> texts, std::int64_t heads, MatrixView<const float> q,
            MatrixView<const float> k, MatrixView<const float> v, MatrixView<float> out,
            const Context& context) {
  const std::int64_t each = q.cols / heads, count = static_cast<std::int64_t>(texts.size());
  context.for_blocks(count * heads, 1, [&](std::int64_t begin, std::int64_t) {
    attend_head(texts[begin / heads], begin % heads * each, each, q, k, v, out);
  });
}

std::int64_t attention_bytes(std::int64_t tokens, std::int64_t each) {
  const std::int64_t padded = kernels::round_up(tokens, kernels::kProductColumns<float>),
                     wide = kernels::round_up(each, kernels::kProductColumns<float>),
                     queries = std::min(kQueries, tokens);
  return 4 * (each * padded + tokens * wide + queries * (padded + wide));
}

}  // namespace parsimony::run
