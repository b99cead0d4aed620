// Implements LanguageSession of parsimony/run/language_model.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/count_of.hpp"
#include "kernels/round_up.hpp"
#include "kernels/softmax.hpp"
#include "parsimony/core/error.hpp"
#include "run/language_network.hpp"

namespace parsimony::run {
namespace {

constexpr std::int64_t kSideBySide = 64;  // tokens: from about so many on, products are as fast as they get
constexpr std::int64_t kScoresAtOnce = std::int64_t{1} << 22;  // 16 MiB

// Sines and cosines of the position with wave lengths from 2π to 20,000 π.
void add_position(std::int64_t position, std::span<float> to) {
  const std::int64_t half = std::ssize(to) / 2;
  const double step = std::log(10000.0) / static_cast<double>(std::max<std::int64_t>(half - 1, 1));
  for (std::int64_t i = 0; i < half; ++i) {
    const double angle = static_cast<double>(position) * std::exp(static_cast<double>(i) * -step);
    to[i] += static_cast<float>(std::sin(angle));
    to[half + i] += static_cast<float>(std::cos(angle));
  }
}

double log_sum_exp(std::span<const float> values) {
  const double most = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (const float value : values) sum += std::exp(value - most);
  return most + std::log(sum);
}

}  // namespace

struct LanguageSession::Data {
  Data(LanguageModel model_, const Context& context);

  void check(std::span<const std::int32_t> tokens) const;
  void embed(std::span<const std::int32_t> tokens, MatrixView<float> x, const Context& context) const;
  void attend(std::int64_t layer, MatrixView<const float> query, MatrixView<float> out,
              const Context& context);
  void run_block(std::int64_t layer, MatrixView<float> x, const Context& context);
  MatrixView<float> run(std::span<const std::int32_t> tokens, const Context& context);
  // Adds the tokens in parts; take(first, states) gets the number of the first token of each and its states.
  template <class Take>
  void extend(std::span<const std::int32_t> tokens, const Context& context, const Take& take);
  void score(MatrixView<float> states, MatrixView<float> out, const Context& context) const;
  std::int64_t values() const {
    return keys.size() + entries.size() + memory.size() + scores.size() + logits.size();
  }
  // Rows of the memory for `tokens` tokens side by side.
  MatrixView<float> rows(std::int64_t part, std::int64_t tokens, std::int64_t width) {
    return {memory.row(part * side_by_side).data(), tokens, width, memory.cols()};
  }

  LanguageModel model;
  std::int64_t count = 0;
  std::int64_t padded;        // context, completed for the softmax
  std::int64_t side_by_side;  // most tokens that run at once
  Matrix<float> keys;         // layers · width × padded: the tokens of each key value side by side
  Matrix<float> entries;      // layers · context × width: the values that attention mixes
  Matrix<float> memory;       // four times side_by_side rows for the activations of tokens
  Matrix<float> scores;       // heads × padded
  Matrix<float> logits;
};

LanguageSession::Data::Data(LanguageModel model_, const Context& context)
    : model(std::move(model_)),
      padded(kernels::round_up(model.options().context, kernels::kSoftmaxPadding)),
      side_by_side(std::min(kSideBySide, model.options().context)) {
  const LanguageModel::Data& net = *model.data_;
  const std::int64_t cache = net.layers * net.width * (padded + net.options.context);
  context.require_memory(4 * cache + net.run_bytes(side_by_side, context.threads()),
                         "keys and values of the context, and activations", "option context lowers them");
  keys = Matrix<float>(net.layers * net.width, padded);
  entries = Matrix<float>(net.layers * net.options.context, net.width);
  memory = Matrix<float>(4 * side_by_side, std::max(net.width, net.inner));
  scores = Matrix<float>(net.options.heads, padded);
  logits = Matrix<float>(1, net.tokens.vocabulary());
}

void LanguageSession::Data::check(std::span<const std::int32_t> tokens) const {
  const LanguageModel::Data& net = *model.data_;
  for (const std::int32_t token : tokens) {
    if (token >= 0 && token < net.tokens.vocabulary()) continue;
    refuse(fmt::format("token: is {}; the network has 0 to {}", token, net.tokens.vocabulary() - 1));
  }
}

void LanguageSession::Data::embed(std::span<const std::int32_t> tokens, MatrixView<float> x,
                                  const Context& context) const {
  const auto factor = static_cast<float>(std::sqrt(static_cast<double>(x.cols)));
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const std::span<float> to = x.row(r);
    model.data_->tokens.embed(tokens[r], to, context);
    for (float& value : to) value *= factor;
    add_position(model.options().first_position + count + r, to);
  }
}

// Token r sees those before it in the text, and itself.
void LanguageSession::Data::attend(std::int64_t layer, MatrixView<const float> query, MatrixView<float> out,
                                   const Context& context) {
  const LanguageModel::Data& net = *model.data_;
  const std::int64_t each = net.width / net.options.heads;
  const float scale = 1 / std::sqrt(static_cast<float>(each));
  const auto one_head = [&](std::int64_t head, std::int64_t) {
    float* weights = scores.row(head).data();
    const std::int64_t first = head * each;
    for (std::int64_t r = 0; r < query.rows; ++r) {
      const std::int64_t seen = count + r + 1;
      std::fill_n(weights, padded, 0.0F);
      for (std::int64_t j = first; j < first + each; ++j) {
        const float* row = keys.row(layer * net.width + j).data();
        const float factor = query(r, j);
        for (std::int64_t t = 0; t < seen; ++t) weights[t] += factor * row[t];
      }
      kernels::softmax(weights, seen, kernels::round_up(seen, kernels::kSoftmaxPadding), scale);
      float* to = out.row_data(r) + first;
      std::fill_n(to, each, 0.0F);
      for (std::int64_t t = 0; t < seen; ++t) {
        const float* row = entries.row(layer * net.options.context + t).data() + first;
        for (std::int64_t j = 0; j < each; ++j) to[j] += weights[t] * row[j];
      }
    }
  };
  if (query.rows > 1) return context.for_blocks(net.options.heads, 1, one_head);
  for (std::int64_t head = 0; head < net.options.heads; ++head)
    one_head(head, head + 1);  // too little for threads
}

void LanguageSession::Data::run_block(std::int64_t layer, MatrixView<float> x, const Context& context) {
  const LanguageModel::Data& net = *model.data_;
  const bool shared = net.layers > std::ssize(net.blocks);
  const LanguageBlock& block = net.blocks[shared ? layer / 2 : layer];
  const std::int64_t width = net.width;
  const MatrixView<float> normed = rows(1, x.rows, width), change = rows(2, x.rows, width);
  const auto normalize = [&](const NormLayer& norm) {
    for (std::int64_t r = 0; r < x.rows; ++r) std::copy_n(x.row_data(r), width, normed.row_data(r));
    norm.add_and_normalize(normed, {}, context);
  };
  const auto add = [&] {
    for (std::int64_t r = 0; r < x.rows; ++r) {
      for (std::int64_t j = 0; j < width; ++j) x(r, j) += change(r, j);
    }
  };
  normalize(block.attention_norm);
  block.key.multiply(normed, change, context);
  for (std::int64_t j = 0; j < width; ++j) {
    float* to = keys.row(layer * width + j).data() + count;
    for (std::int64_t r = 0; r < x.rows; ++r) to[r] = change(r, j);
  }
  block.value.multiply(normed, {entries.row(layer * net.options.context + count).data(), x.rows, width},
                       context);
  block.query.multiply(normed, change, context);
  attend(layer, change, normed, context);
  block.output.multiply(normed, change, context);
  add();
  normalize(block.feed_forward_norm);
  const MatrixView<float> inner = rows(3, x.rows, net.inner);
  block.widening.multiply(normed, inner, context);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    for (float& value : inner.row(r)) value = std::max(value, 0.0F);
  }
  block.narrowing.multiply(inner, change, context);
  add();
}

// Hidden states of the tokens, at most side_by_side.
MatrixView<float> LanguageSession::Data::run(std::span<const std::int32_t> tokens, const Context& context) {
  const LanguageModel::Data& net = *model.data_;
  context.check_cancelled();
  const std::int64_t some = std::ssize(tokens);
  const MatrixView<float> x = rows(0, some, net.width);
  embed(tokens, x, context);
  for (std::int64_t layer = 0; layer < net.layers; ++layer) run_block(layer, x, context);
  count += some;
  return x;
}

template <class Take>
void LanguageSession::Data::extend(std::span<const std::int32_t> tokens, const Context& context,
                                   const Take& take) {
  if (tokens.empty()) refuse("tokens: there are none; must be at least one");
  check(tokens);
  if (std::ssize(tokens) > model.options().context - count) {
    refuse(fmt::format(
        "context: holds {}, of which {} are taken, and {} more were given; must be larger for longer texts",
        count_of(model.options().context, "token"), count, tokens.size()));
  }
  const std::int64_t before = count;
  try {
    for (std::int64_t t = 0; t < std::ssize(tokens); t += side_by_side) {
      take(t, run(tokens.subspan(t, std::min<std::int64_t>(side_by_side, std::ssize(tokens) - t)), context));
    }
    for (const SafetensorsFile& file : model.data_->files) file.check_unchanged();
  } catch (...) {
    count = before;
    throw;
  }
}

// The states become normalized.
void LanguageSession::Data::score(MatrixView<float> states, MatrixView<float> out,
                                  const Context& context) const {
  const LanguageModel::Data& net = *model.data_;
  if (net.norm) net.norm->add_and_normalize(states, {}, context);
  net.tokens.score(states, out, context);
}

LanguageSession::LanguageSession(LanguageModel model, const Context& context)
    : data_(std::make_unique<Data>(std::move(model), context)) {}
LanguageSession::LanguageSession(LanguageSession&&) noexcept = default;
LanguageSession& LanguageSession::operator=(LanguageSession&&) noexcept = default;
LanguageSession::~LanguageSession() = default;

const LanguageModel& LanguageSession::model() const {
  return data_->model;
}
std::int64_t LanguageSession::tokens() const {
  return data_->count;
}
std::int64_t LanguageSession::bytes() const {
  return 4 * data_->values();
}
void LanguageSession::clear() {
  data_->count = 0;
}

std::span<const float> LanguageSession::step(std::int32_t token, const Context& context) {
  return add(std::span(&token, 1), context);
}

std::span<const float> LanguageSession::add(std::span<const std::int32_t> tokens, const Context& context) {
  Data& text = *data_;
  text.extend(tokens, context, [&](std::int64_t first, MatrixView<float> states) {
    if (first + states.rows < std::ssize(tokens)) return;
    text.score({states.row_data(states.rows - 1), 1, states.cols}, text.logits, context);
  });
  return text.logits.values();
}

std::vector<float> LanguageSession::log_probabilities(std::span<const std::int32_t> tokens,
                                                      std::span<const std::int32_t> following,
                                                      const Context& context) {
  Data& text = *data_;
  const TokenLayers& layers = text.model.data_->tokens;
  if (following.size() != tokens.size()) {
    refuse(
        fmt::format("following: are {}; must be as many as the tokens, {}", following.size(), tokens.size()));
  }
  text.check(following);
  const std::int64_t most =
      std::clamp<std::int64_t>(kScoresAtOnce / layers.vocabulary(), 1, text.side_by_side);
  context.require_memory(4 * most * layers.vocabulary() + layers.product_bytes(most, context.threads()),
                         "the scores of all tokens at several positions");
  Matrix<float> scores(most, layers.vocabulary());
  std::vector<float> out(tokens.size());
  text.extend(tokens, context, [&](std::int64_t first, MatrixView<float> states) {
    for (std::int64_t r = 0; r < states.rows; r += most) {
      const std::int64_t some = std::min(most, states.rows - r);
      const MatrixView<float> part(scores.data(), some, scores.cols());
      text.score({states.row_data(r), some, states.cols, states.stride}, part, context);
      context.for_blocks(some, 1, [&](std::int64_t i, std::int64_t) {
        const std::int64_t at = first + r + i;
        const double normalizer = layers.gives_log_probabilities() ? 0 : log_sum_exp(part.row(i));
        out[at] = static_cast<float>(part(i, following[at]) - normalizer);
      });
    }
  });
  return out;
}

}  // namespace parsimony::run
