#include "models/sentence_inputs.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace parsimony::models {
namespace {

constexpr std::int64_t kTextsAtOnce = 32;

std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  std::vector<double> out(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) out[order[i]] = static_cast<double>(begin + end - 1) / 2;
    begin = end;
  }
  return out;
}

}  // namespace

torch::Tensor sentence_inputs(const std::vector<data::EncodedText>& texts,
                              std::span<const std::int64_t> which, std::int64_t padding) {
  std::int64_t longest = 0;
  for (const std::int64_t i : which) longest = std::max(longest, std::ssize(texts[i].tokens));
  const std::int64_t count = std::ssize(which);
  const torch::Tensor out = torch::zeros({count, 2, longest}, torch::kLong);
  auto* to = out.data_ptr<std::int64_t>();
  for (std::int64_t k = 0; k < count; ++k, to += 2 * longest) {
    const data::EncodedText& text = texts[which[k]];
    std::fill(std::copy(text.tokens.begin(), text.tokens.end(), to), to + longest, padding);
    std::copy(text.types.begin(), text.types.end(), to + longest);
  }
  return out;
}

void for_each_batch(const std::vector<data::EncodedText>& texts, std::int64_t padding, const char* stage,
                    const Context& context,
                    const std::function<void(const torch::Tensor&, std::span<const std::int64_t>)>& body) {
  std::vector<std::int64_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return texts[a].tokens.size() < texts[b].tokens.size(); });
  const auto count = std::ssize(order);
  for (std::int64_t begin = 0; begin < count; begin += kTextsAtOnce) {
    context.progress(stage, begin, count);
    context.check_cancelled();
    const std::span<const std::int64_t> which(order.data() + begin, std::min(kTextsAtOnce, count - begin));
    body(sentence_inputs(texts, which, padding), which);
  }
}

double rank_correlation(std::span<const double> a, std::span<const double> b) {
  const std::vector<double> x = ranks_of(a), y = ranks_of(b);
  const double mean = (static_cast<double>(a.size()) - 1) / 2;  // ties keep the sum of the ranks
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

}  // namespace parsimony::models
