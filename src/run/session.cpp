#include "parsimony/run/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "run/encoder.hpp"

namespace parsimony::run {
namespace {

void check_texts(std::span<const data::EncodedText> texts, const data::EncoderConfig& config) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto count = static_cast<std::int64_t>(texts[i].tokens.size());
    if (count < 1 || count > config.longest_text()) {
      refuse(fmt::format("text {}: has {}; must have 1 to {}, the positions of the network", i,
                         count_of(count, "token"), config.longest_text()));
    }
    if (!texts[i].types.empty() && texts[i].types.size() != texts[i].tokens.size()) {
      refuse(fmt::format("text {}: has {} for {}; must have as many, or none", i,
                         count_of(texts[i].types.size(), "type"), count_of(count, "token")));
    }
    const auto check = [&](const char* what, std::span<const std::int32_t> values, std::int64_t limit) {
      for (const std::int32_t value : values) {
        if (value < 0 || value >= limit) {
          refuse(fmt::format("text {}: has the {} {}; the network has 0 to {}", i, what, value, limit - 1));
        }
      }
    };
    check("token", texts[i].tokens, config.vocabulary);
    check("type", texts[i].types, config.token_types);
  }
}

void divide_by_length(std::span<float> vector) {
  double sum = 0;
  for (const float value : vector) sum += static_cast<double>(value) * value;
  if (sum == 0) return;
  const double inverse = 1 / std::sqrt(sum);
  for (float& value : vector) value = static_cast<float>(value * inverse);
}

void pool(MatrixView<const float> tokens, Pooling pooling, std::span<float> to) {
  const std::int64_t count = pooling == Pooling::first ? 1 : tokens.rows;
  for (std::int64_t j = 0; j < tokens.cols; ++j) {
    double sum = 0;
    for (std::int64_t t = 0; t < count; ++t) sum += tokens(t, j);
    to[j] = static_cast<float>(sum / static_cast<double>(count));
  }
}

}  // namespace

struct Session::Data {
  // Runs batches of texts, and hands over each with its first text and its hidden states.
  using Take = std::function<void(std::int64_t first, std::span<const TextRows>, MatrixView<const float>)>;
  void run(std::span<const data::EncodedText> texts, const Context& context, const Take& take);
  std::int64_t planned_bytes(std::int64_t tokens, std::int64_t longest, int threads) const;

  Network network;
  SessionOptions options;
  std::optional<Activations> memory;  // for the largest batch so far
};

std::int64_t Session::Data::planned_bytes(std::int64_t tokens, std::int64_t longest, int threads) const {
  const data::EncoderConfig& config = network.config();
  std::int64_t product = 0;
  for (const EncoderLayer& layer : network.data_->layers) {
    product = std::max(product, layer.product_bytes(tokens, threads));
  }
  // Attention and products take turns.
  return Activations::bytes(config, tokens) + threads * kThreadBytes +
         std::max(threads * attention_bytes(longest, config.width / config.heads), product);
}

void Session::Data::run(std::span<const data::EncodedText> texts, const Context& context, const Take& take) {
  const Network::Data& encoder = *network.data_;
  check_texts(texts, encoder.config);
  const auto count = static_cast<std::int64_t>(texts.size());
  for (std::int64_t first = 0; first < count;) {
    context.check_cancelled();
    std::vector<TextRows> rows;
    std::int64_t tokens = 0;
    for (std::int64_t i = first; i < count; ++i) {
      const auto more = static_cast<std::int64_t>(texts[i].tokens.size());
      if (!rows.empty() && tokens + more > options.batch_tokens) break;
      rows.push_back({tokens, tokens + more});
      tokens += more;
    }
    if (!memory || memory->x.rows() < tokens) {
      memory.reset();
      std::int64_t longest = 0;
      for (const TextRows& text : rows) longest = std::max(longest, text.end - text.begin);
      context.require_memory(planned_bytes(tokens, longest, context.threads()),
                             "the activations of the network", "option batch_tokens lowers them");
      memory.emplace(encoder.config, tokens);
    }
    encoder.encode(texts.subspan(first, rows.size()), rows, *memory, context);
    take(first, rows, {memory->x.data(), tokens, encoder.config.width});
    first += static_cast<std::int64_t>(rows.size());
    context.progress("run", first, count);
  }
  for (const SafetensorsFile& file : encoder.files) file.check_unchanged();
}

Session::Session(Network network, const SessionOptions& options)
    : data_(std::make_unique<Data>(Data{std::move(network), options, std::nullopt})) {
  validate_fields(options);
}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

const Network& Session::network() const {
  return data_->network;
}

std::int64_t Session::planned_bytes(std::int64_t tokens, std::int64_t longest, int threads) const {
  return data_->planned_bytes(tokens, longest, threads);
}

Matrix<float> Session::hidden_states(std::span<const data::EncodedText> texts, const Context& context) {
  std::int64_t tokens = 0, row = 0;
  for (const data::EncodedText& text : texts) tokens += static_cast<std::int64_t>(text.tokens.size());
  Matrix<float> out(tokens, data_->network.config().width);
  data_->run(texts, context, [&](std::int64_t, std::span<const TextRows>, MatrixView<const float> states) {
    for (std::int64_t t = 0; t < states.rows; ++t, ++row) {
      std::copy_n(states.row_data(t), states.cols, out.row(row).data());
    }
  });
  return out;
}

Matrix<float> Session::embed(std::span<const data::EncodedText> texts, const Context& context) {
  Matrix<float> out(static_cast<std::int64_t>(texts.size()), data_->network.config().width);
  data_->run(
      texts, context,
      [&](std::int64_t first, std::span<const TextRows> rows, MatrixView<const float> states) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const std::span<float> to = out.row(first + static_cast<std::int64_t>(i));
          pool({states.row_data(rows[i].begin), rows[i].end - rows[i].begin, states.cols, states.stride},
               data_->options.pooling, to);
          if (data_->options.normalize) divide_by_length(to);
        }
      });
  return out;
}

Matrix<float> Session::classify(std::span<const data::EncodedText> texts, const Context& context) {
  const std::optional<ClassificationHead>& head = data_->network.data_->head;
  if (!head) refuse("network: has no classification head (tensors classifier.…)");
  Matrix<float> out(static_cast<std::int64_t>(texts.size()), head->classifier.outputs());
  data_->run(texts, context,
             [&](std::int64_t first, std::span<const TextRows> rows, MatrixView<const float> states) {
               const auto count = static_cast<std::int64_t>(rows.size());
               Matrix<float> tokens(count, states.cols), dense(count, states.cols);
               for (std::int64_t i = 0; i < count; ++i) {
                 std::copy_n(states.row_data(rows[i].begin), states.cols, tokens.row(i).data());
               }
               head->dense.multiply(tokens, dense, context);
               for (float& value : dense.values()) value = std::tanh(value);
               head->classifier.multiply(dense, {out.row(first).data(), count, out.cols()}, context);
             });
  return out;
}

}  // namespace parsimony::run
