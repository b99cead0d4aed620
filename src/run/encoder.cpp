#include "run/encoder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/count_of.hpp"
#include "kernels/gelu.hpp"
#include "parsimony/core/error.hpp"
#include "run/encoder_names.hpp"
#include "run/model_path.hpp"
#include "run/precision.hpp"

namespace parsimony::run {
namespace {

constexpr std::int64_t kRows = 8;  // rows of a block of work other than products

std::optional<ClassificationHead> head_of(Weights& weights, const data::EncoderConfig& config,
                                          const quant::PackedLinearOptions& options) {
  const HeadNames names = encoder_head(weights, config);
  if (names.scores.empty()) return std::nullopt;
  const std::vector<std::int64_t> shape = weights.shape_of(names.scores + ".weight");
  const std::int64_t classes = shape.empty() ? 0 : shape[0];
  if (classes < 1) weights.fail(names.scores + ".weight", "has no outputs; must have one for each class");
  return ClassificationHead{LinearLayer(weights, names.dense, config.width, config.width, options),
                            LinearLayer(weights, names.scores, classes, config.width, options)};
}

}  // namespace

Activations::Activations(const data::EncoderConfig& config, std::int64_t tokens)
    : x(tokens, config.width),
      change(tokens, config.width),
      inner(tokens, std::max(3 * config.width, config.feed_forward)) {}

std::int64_t Activations::bytes(const data::EncoderConfig& config, std::int64_t tokens) {
  return 4 * tokens * (2 * config.width + std::max(3 * config.width, config.feed_forward));
}

EncoderLayer::EncoderLayer(Weights& weights, const std::string& name, const data::EncoderConfig& config,
                           const quant::PackedLinearOptions& options)
    : query_(weights, name + ".attention.self.query", config.width, config.width, options),
      key_(weights, name + ".attention.self.key", config.width, config.width, options),
      value_(weights, name + ".attention.self.value", config.width, config.width, options),
      attention_output_(weights, name + ".attention.output.dense", config.width, config.width, options),
      inner_(weights, name + ".intermediate.dense", config.feed_forward, config.width, options),
      output_(weights, name + ".output.dense", config.width, config.feed_forward, options),
      attention_norm_(weights, name + ".attention.output.LayerNorm", config.width, config.norm_epsilon),
      output_norm_(weights, name + ".output.LayerNorm", config.width, config.norm_epsilon) {}

void EncoderLayer::run(std::span<const TextRows> texts, std::int64_t heads, std::int64_t tokens,
                       Activations& memory, const Context& context) const {
  const std::int64_t width = memory.x.cols(), stride = memory.inner.cols();
  const MatrixView<float> x(memory.x.data(), tokens, width), change(memory.change.data(), tokens, width);
  const auto part = [&](std::int64_t i) {
    return MatrixView<float>(memory.inner.data() + i * width, tokens, width, stride);
  };
  query_.multiply(x, part(0), context);
  key_.multiply(x, part(1), context);
  value_.multiply(x, part(2), context);
  attend(texts, heads, part(0), part(1), part(2), change, context);
  attention_output_.multiply(change, part(0), context);
  attention_norm_.add_and_normalize(x, part(0), context);

  const MatrixView<float> inner(memory.inner.data(), tokens, inner_.outputs());
  inner_.multiply(x, inner, context);
  context.for_blocks(tokens, kRows, [&](std::int64_t begin, std::int64_t end) {
    kernels::gelu(inner.row_data(begin), (end - begin) * inner.cols);
  });
  output_.multiply(inner, change, context);
  output_norm_.add_and_normalize(x, change, context);
}

std::int64_t EncoderLayer::bytes() const {
  std::int64_t sum = attention_norm_.bytes() + output_norm_.bytes();
  for (const LinearLayer* layer : linear()) sum += layer->bytes();
  return sum;
}

std::int64_t EncoderLayer::in_codes() const {
  std::int64_t count = 0;
  for (const LinearLayer* layer : linear()) count += int{layer->in_codes()};
  return count;
}

std::int64_t EncoderLayer::product_bytes(std::int64_t tokens, int threads) const {
  std::int64_t most = 0;
  for (const LinearLayer* layer : linear()) most = std::max(most, layer->product_bytes(tokens, threads));
  return most;
}

Network::Data::Data(Weights& weights, data::EncoderConfig config_, const LoadOptions& options)
    : config(std::move(config_)),
      precision(chosen_precision(options.precision)),
      files(weights.files()),
      words(weights, encoder_base(weights) + "embeddings.word_embeddings", config.vocabulary, config.width),
      positions(weights, encoder_base(weights) + "embeddings.position_embeddings", config.positions,
                config.width),
      types(weights, encoder_base(weights) + "embeddings.token_type_embeddings", config.token_types,
            config.width),
      norm(weights, encoder_base(weights) + "embeddings.LayerNorm", config.width, config.norm_epsilon) {
  const std::string base = encoder_base(weights);
  const quant::PackedLinearOptions product = product_options(precision, options.keep_tiles);
  for (std::int64_t i = 0; i < config.layers; i += config.share_adjacent ? 2 : 1) {
    layers.emplace_back(weights, fmt::format("{}encoder.layer.{}", base, i), config, product);
  }
  head = head_of(weights, config, product);
}

void Network::Data::encode(std::span<const data::EncodedText> texts, std::span<const TextRows> rows,
                           Activations& memory, const Context& context) const {
  const std::int64_t first = config.kind == data::EncoderKind::roberta ? config.padding_token + 1 : 0;
  context.for_blocks(static_cast<std::int64_t>(texts.size()), 1, [&](std::int64_t i, std::int64_t) {
    for (std::int64_t t = 0; t < rows[i].end - rows[i].begin; ++t) {
      const std::span<float> to = memory.x.row(rows[i].begin + t);
      std::fill(to.begin(), to.end(), 0.0F);
      words.add_row(texts[i].tokens[t], to);
      positions.add_row(first + t, to);
      types.add_row(texts[i].types.empty() ? 0 : texts[i].types[t], to);
    }
  });
  const std::int64_t tokens = rows.back().end;
  norm.add_and_normalize({memory.x.data(), tokens, config.width}, {}, context);
  for (std::int64_t i = 0; i < config.layers; ++i) {
    layers[config.share_adjacent ? i / 2 : i].run(rows, config.heads, tokens, memory, context);
  }
}

const data::EncoderConfig& Network::config() const {
  return data_->config;
}
std::int64_t Network::classes() const {
  return data_->head ? data_->head->classifier.outputs() : 0;
}
Precision Network::precision() const {
  return data_->precision;
}

std::int64_t Network::bytes() const {
  std::int64_t sum =
      data_->words.bytes() + data_->positions.bytes() + data_->types.bytes() + data_->norm.bytes();
  for (const EncoderLayer& layer : data_->layers) sum += layer.bytes();
  if (data_->head) sum += data_->head->dense.bytes() + data_->head->classifier.bytes();
  return sum;
}

std::int64_t Network::in_codes() const {
  std::int64_t count = 0;
  for (const auto* layer : {&data_->words, &data_->positions, &data_->types}) {
    if (layer->in_codes()) ++count;
  }
  for (const EncoderLayer& layer : data_->layers) count += layer.in_codes();
  return count;
}

Network load(const std::filesystem::path& model, const LoadOptions& options, const Context& context) {
  validate_fields(options);
  Weights weights(weights_path(model), context);
  return Network::of(weights, encoder_config(weights, model, options.folder), options, context);
}

Network load_encoder(const std::filesystem::path& model, const data::EncoderConfig& config,
                     const LoadOptions& options, const Context& context) {
  validate_fields(options);
  Weights weights(weights_path(model), context);
  const std::string base = encoder_base(weights);
  // A pair of shared layers may have the name of its first one alone.
  for (const std::int64_t beyond : {config.layers, config.layers + 1}) {
    if (!weights.has_part(fmt::format("{}encoder.layer.{}.", base, beyond))) continue;
    throw Error(ErrorCode::format,
                fmt::format("{}: has {}encoder.layer.{}; the network has {}", weights.name(), base, beyond,
                            count_of(config.layers, "layer")));
  }
  return Network::of(weights, config, options, context);
}

Network Network::of(Weights& weights, data::EncoderConfig config, const LoadOptions& options,
                    const Context& context) {
  context.require_memory(weights.packed_bytes(product_options(options)).total(),
                         "the codes of the network, a byte or two each");
  Network out;
  out.data_ = std::make_shared<const Network::Data>(weights, std::move(config), options);
  weights.check_unchanged();
  return out;
}

}  // namespace parsimony::run
