#include "parsimony/run/language_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "kernels/round_up.hpp"
#include "kernels/softmax.hpp"
#include "parsimony/core/error.hpp"
#include "run/layers.hpp"
#include "run/model_path.hpp"
#include "run/pointwise.hpp"
#include "run/precision.hpp"

namespace parsimony::run {
namespace {

constexpr double kLanguageNormEpsilon = 1e-5;

// Linear layers of a block, for one token at a time.
struct LanguageBlock {
  LanguageBlock(Weights& weights, const std::string& name, std::int64_t width, std::int64_t inner,
                const quant::PackedLinearOptions& product)
      : attention_norm(weights, name + ".attention_norm", width, kLanguageNormEpsilon),
        feed_forward_norm(weights, name + ".feed_forward_norm", width, kLanguageNormEpsilon),
        query(weights, name + ".attention.query", width, width, product),
        key(weights, name + ".attention.key", width, width, product),
        value(weights, name + ".attention.value", width, width, product),
        output(weights, name + ".attention.output", width, width, product),
        widening(weights, name + ".feed_forward.0", inner, width, product),
        narrowing(weights, name + ".feed_forward.2", width, inner, product) {}

  std::array<const LinearLayer*, 6> linear() const {
    return {&query, &key, &value, &output, &widening, &narrowing};
  }

  NormLayer attention_norm, feed_forward_norm;
  LinearLayer query, key, value, output, widening, narrowing;
};

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

std::int64_t size_of(const Weights& weights, const std::string& tensor, std::size_t dimension) {
  const std::vector<std::int64_t> shape = weights.shape_of(tensor);
  if (shape.size() != 2 || shape[dimension] < 1)
    weights.fail(tensor, "must have two dimensions of at least 1");
  return shape[dimension];
}

}  // namespace

struct LanguageModel::Data {
  Data(Weights& weights, const LanguageOptions& options_, Precision precision_);

  LanguageOptions options;
  Precision precision;
  std::vector<SafetensorsFile> files;  // hold the floats and codes
  std::int64_t vocabulary, width, inner;
  std::optional<PointwiseLayer> output;
  std::optional<EmbeddingLayer> embedding;
  std::vector<LanguageBlock> blocks;
  std::optional<NormLayer> norm;
  std::int64_t layers = 0;
};

LanguageModel::Data::Data(Weights& weights, const LanguageOptions& options_, Precision precision_)
    : options(options_),
      precision(chosen_precision(precision_)),
      files(weights.files()),
      vocabulary(size_of(weights, "embedding.weight", 0)),
      width(size_of(weights, "embedding.weight", 1)),
      inner(size_of(weights, "layers.0.feed_forward.0.weight", 0)) {
  if (width % 2 != 0) weights.fail("embedding.weight", "has an odd width; must have an even one");
  if (options.heads == 0 || width % options.heads != 0) {
    refuse(fmt::format("heads: is {}; must be the heads of the training recipe, which divide the width, {}",
                       options.heads, width));
  }
  if (weights.has("layers.0.attention.query_input.range")) {
    throw Error(ErrorCode::unsupported,
                weights.name() + ": was trained with integer activations (activation_bits); must be without");
  }
  const quant::PackedLinearOptions product = product_options(precision);
  const std::string table = weights.has("output.weight") ? "output" : "embedding";
  weights.check_shape(table + ".weight", std::array{vocabulary, width});
  output.emplace(weights, table, FoldedNorm::none(vocabulary),
                 PointwiseOptions{vocabulary, width, 1, kernels::Activation::none, product});
  embedding.emplace(weights, "embedding", vocabulary, width);
  for (std::int64_t i = 0; i == 0 || weights.has_part(fmt::format("layers.{}.", i)); ++i) {
    blocks.emplace_back(weights, fmt::format("layers.{}", i), width, inner, product);
  }
  norm.emplace(weights, "norm", width, kLanguageNormEpsilon);
  const std::int64_t count = std::ssize(blocks);
  layers = options.layers == 0 ? count : options.layers;
  if (layers != count && layers != 2 * count && layers != 2 * count - 1) {
    refuse(fmt::format("layers: is {}; the file has {}, which can also be {} or {} layers that share weights",
                       layers, count, 2 * count - 1, 2 * count));
  }
}

const LanguageOptions& LanguageModel::options() const {
  return data_->options;
}
std::int64_t LanguageModel::vocabulary() const {
  return data_->vocabulary;
}
std::int64_t LanguageModel::layers() const {
  return data_->layers;
}
std::int64_t LanguageModel::width() const {
  return data_->width;
}
Precision LanguageModel::precision() const {
  return data_->precision;
}

std::int64_t LanguageModel::bytes() const {
  std::int64_t sum = data_->output->bytes() + data_->embedding->bytes() + data_->norm->bytes();
  for (const LanguageBlock& block : data_->blocks) {
    sum += block.attention_norm.bytes() + block.feed_forward_norm.bytes();
    for (const LinearLayer* layer : block.linear()) sum += layer->bytes();
  }
  return sum;
}

std::int64_t LanguageModel::in_codes() const {
  std::int64_t count = int{data_->output->in_codes()};
  for (const LanguageBlock& block : data_->blocks) {
    for (const LinearLayer* layer : block.linear()) count += int{layer->in_codes()};
  }
  return count;
}

LanguageModel load_language_model(const std::filesystem::path& model, const LanguageOptions& language,
                                  const LoadOptions& options, const Context& context) {
  validate_fields(language);
  validate_fields(options);
  Weights weights(weights_path(model), context.stop);
  context.require_memory(weights.unpacked_bytes(), "the codes of the network, a byte or two each");
  LanguageModel out;
  out.data_ = std::make_shared<const LanguageModel::Data>(weights, language, options.precision);
  weights.check_unchanged();
  return out;
}

struct LanguageSession::Data {
  Data(LanguageModel model_, const Context& context);

  void attend(std::int64_t layer, std::span<const float> query, std::span<float> out);
  std::int64_t values() const { return keys.size() + entries.size() + memory.size() + logits.size(); }

  LanguageModel model;
  std::int64_t count = 0;
  std::int64_t padded;    // context, completed for the softmax
  Matrix<float> keys;     // layers · width × padded: the tokens of each key value side by side
  Matrix<float> entries;  // layers · context × width: the values that attention mixes
  Matrix<float> memory;   // rows for the activations of a token
  Matrix<float> logits;
};

LanguageSession::Data::Data(LanguageModel model_, const Context& context)
    : model(std::move(model_)), padded(kernels::round_up(model.options().context, kernels::kSoftmaxPadding)) {
  const LanguageModel::Data& net = *model.data_;
  const std::int64_t cache = net.layers * net.width * (padded + net.options.context);
  context.require_memory(4 * cache, "keys and values of the context", "option context lowers them");
  keys = Matrix<float>(net.layers * net.width, padded);
  entries = Matrix<float>(net.layers * net.options.context, net.width);
  memory = Matrix<float>(4, std::max(net.width, net.inner) + padded);
  logits = Matrix<float>(1, net.output->padded_outputs());
}

void LanguageSession::Data::attend(std::int64_t layer, std::span<const float> query, std::span<float> out) {
  const LanguageModel::Data& net = *model.data_;
  const std::int64_t each = net.width / net.options.heads;
  const float scale = 1 / std::sqrt(static_cast<float>(each));
  float* scores = memory.row(3).data();
  std::fill(out.begin(), out.end(), 0.0F);
  for (std::int64_t head = 0; head < net.options.heads; ++head) {
    std::fill_n(scores, padded, 0.0F);
    for (std::int64_t j = head * each; j < (head + 1) * each; ++j) {
      const float* row = keys.row(layer * net.width + j).data();
      for (std::int64_t t = 0; t <= count; ++t) scores[t] += query[j] * row[t];
    }
    kernels::softmax(scores, count + 1, kernels::round_up(count + 1, kernels::kSoftmaxPadding), scale);
    for (std::int64_t t = 0; t <= count; ++t) {
      const float* row = entries.row(layer * net.options.context + t).data();
      for (std::int64_t j = head * each; j < (head + 1) * each; ++j) out[j] += scores[t] * row[j];
    }
  }
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
  Data& text = *data_;
  const LanguageModel::Data& net = *text.model.data_;
  if (token < 0 || token >= net.vocabulary) {
    refuse(fmt::format("token: is {}; the network has 0 to {}", token, net.vocabulary - 1));
  }
  if (text.count == net.options.context) {
    refuse(fmt::format("context: holds {} tokens, and all are taken; must be larger for longer texts",
                       net.options.context));
  }
  context.check_cancelled();
  const std::int64_t width = net.width;
  const auto row = [&](std::int64_t i, std::int64_t size) {
    return MatrixView<float>(text.memory.row(i).data(), 1, size);
  };
  const MatrixView<float> x = row(0, width), normed = row(1, width), change = row(2, width);
  std::fill_n(x.data, width, 0.0F);
  net.embedding->add_row(token, x.row(0));
  for (float& value : x.row(0)) value *= std::sqrt(static_cast<float>(width));
  add_position(text.count, x.row(0));
  const auto add = [&] {
    for (std::int64_t j = 0; j < width; ++j) x.data[j] += change.data[j];
  };
  const auto normalize = [&](const NormLayer& norm) {
    std::copy_n(x.data, width, normed.data);
    norm.add_and_normalize(normed, {}, context);
  };
  const bool shared = net.layers > std::ssize(net.blocks);
  for (std::int64_t layer = 0; layer < net.layers; ++layer) {
    const LanguageBlock& block = net.blocks[shared ? layer / 2 : layer];
    normalize(block.attention_norm);
    block.key.multiply(normed, change, context);
    for (std::int64_t j = 0; j < width; ++j) text.keys(layer * width + j, text.count) = change.data[j];
    const std::span<float> entry = text.entries.row(layer * net.options.context + text.count);
    block.value.multiply(normed, {entry.data(), 1, width}, context);
    block.query.multiply(normed, change, context);
    text.attend(layer, change.row(0), normed.row(0));
    block.output.multiply(normed, change, context);
    add();
    normalize(block.feed_forward_norm);
    const MatrixView<float> inner = row(3, net.inner);
    block.widening.multiply(normed, inner, context);
    for (float& value : inner.row(0)) value = std::max(value, 0.0F);
    block.narrowing.multiply(inner, change, context);
    add();
  }
  normalize(*net.norm);
  net.output->multiply(normed, {text.logits.data(), 1, net.vocabulary, text.logits.cols()}, nullptr, context);
  for (const SafetensorsFile& file : net.files) file.check_unchanged();
  ++text.count;
  return text.logits.values().first(net.vocabulary);
}

}  // namespace parsimony::run
