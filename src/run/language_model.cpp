#include "parsimony/run/language_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "parsimony/core/error.hpp"
#include "parsimony/data/language_config.hpp"
#include "run/language_network.hpp"
#include "run/model_path.hpp"
#include "run/precision.hpp"

namespace parsimony::run {
namespace {

std::int64_t size_of(const Weights& weights, const std::string& tensor, std::size_t dimension) {
  const std::vector<std::int64_t> shape = weights.shape_of(tensor);
  if (shape.size() != 2 || shape[dimension] < 1)
    weights.fail(tensor, "must have two dimensions of at least 1");
  return shape[dimension];
}

}  // namespace

std::int64_t LanguageModel::Data::run_bytes(std::int64_t count, int threads) const {
  std::int64_t product = tokens.product_bytes(threads);
  for (const LanguageBlock& block : blocks) {
    for (const LinearLayer* layer : block.linear()) {
      product = std::max(product, layer->product_bytes(count, threads));
    }
  }
  const std::int64_t scores = tokens.vocabulary() + options.heads * options.context;
  return 4 * (4 * count * std::max(width, inner) + scores) + product;
}

LanguageModel::Data::Data(Weights& weights, const LanguageOptions& options_, Precision precision_)
    : options(options_),
      precision(chosen_precision(precision_)),
      files(weights.files()),
      tokens(weights, product_options(precision)),
      width(tokens.width()),
      inner(size_of(weights, "layers.0.feed_forward.0.weight", 0)) {
  if (width % 2 != 0)
    refuse(fmt::format("{}: has an odd width, {}; must have an even one", weights.name(), width));
  if (options.heads == 0 || width % options.heads != 0) {
    refuse(fmt::format("heads: is {}; must be the heads of the training recipe, which divide the width, {}",
                       options.heads, width));
  }
  if (weights.has("layers.0.attention.query_input.range")) {
    throw Error(ErrorCode::unsupported,
                weights.name() + ": was trained with integer activations (activation_bits); must be without");
  }
  const quant::PackedLinearOptions product = product_options(precision);
  for (std::int64_t i = 0; i == 0 || weights.has_part(fmt::format("layers.{}.", i)); ++i) {
    blocks.emplace_back(weights, fmt::format("layers.{}", i), width, inner, product);
  }
  if (weights.has_part("norm.") || !weights.has_part("embedding.bands."))
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
  return data_->tokens.vocabulary();
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
  std::int64_t sum = data_->tokens.bytes() + (data_->norm ? data_->norm->bytes() : 0);
  for (const LanguageBlock& block : data_->blocks) {
    sum += block.attention_norm.bytes() + block.feed_forward_norm.bytes();
    for (const LinearLayer* layer : block.linear()) sum += layer->bytes();
  }
  return sum;
}

std::int64_t LanguageModel::in_codes() const {
  std::int64_t count = data_->tokens.in_codes();
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
  LanguageOptions chosen = language;
  if (weights.network() != nullptr && language.heads == 0) {
    const data::LanguageConfig config = data::parse_language_config(
        *weights.network(), weights.name() + ": " + std::string(quant::kNetworkKey));
    chosen.heads = config.heads;
    if (language.layers == 0) chosen.layers = config.layers;
    chosen.first_position = config.first_position;
  }
  // The codes of a tied embedding are kept for look-ups, too.
  context.require_memory(2 * weights.unpacked_bytes(), "the codes of the network, a byte or two each, twice");
  LanguageModel out;
  out.data_ = std::make_shared<const LanguageModel::Data>(weights, chosen, options.precision);
  weights.check_unchanged();
  return out;
}

}  // namespace parsimony::run
