#include "parsimony/run/language_model.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "parsimony/core/error.hpp"
#include "parsimony/data/language_config.hpp"
#include "run/language_network.hpp"
#include "run/model_path.hpp"
#include "run/precision.hpp"

namespace parsimony::run {
namespace {

// Throws invalid_argument for a setting of the caller, and format for one of the metadata.
[[noreturn]] void fail_setting(const Weights& weights, bool given, const std::string& what) {
  if (given) refuse(what);
  throw Error(ErrorCode::format, fmt::format("{}: {}", weights.network_name(), what));
}

// The settings that the caller left open become those of the metadata.
LanguageOptions completed(LanguageOptions given, const data::LanguageConfig& config) {
  if (given.heads == 0) given.heads = config.heads;
  if (given.layers == 0) given.layers = config.layers;
  if (given.first_position < 0) given.first_position = config.first_position;
  return given;
}

// Whether the network has a last norm; throws format where its tensors do not fit `told`, which the metadata
// say.
bool has_final_norm(const Weights& weights, std::optional<bool> told) {
  const bool found = weights.has_part("norm.");
  if (told.value_or(found) != found) {
    weights.fail("norm.weight", fmt::format("is {}; {} says \"final_norm\": {}", found ? "there" : "missing",
                                            quant::kNetworkKey, *told));
  }
  if (!found && !told && !weights.has_part("embedding.bands.")) {
    weights.fail("norm.weight", fmt::format("is missing; a network without a last norm needs \"final_norm\": "
                                            "false in {}",
                                            quant::kNetworkKey));
  }
  return found;
}

}  // namespace

std::int64_t LanguageModel::Data::run_bytes(std::int64_t count, int threads) const {
  std::int64_t product = tokens.product_bytes(1, threads);
  for (const LanguageBlock& block : blocks) {
    for (const LinearLayer* layer : block.linear()) {
      product = std::max(product, layer->product_bytes(count, threads));
    }
  }
  const std::int64_t scores = tokens.vocabulary() + options.heads * options.context;
  return 4 * (4 * count * std::max(width, inner) + scores) + product + threads * kThreadBytes;
}

LanguageModel::Data::Data(Weights& weights, const LanguageOptions& options_, const LanguageOptions& given,
                          std::optional<bool> has_norm, const LoadOptions& load)
    : options(options_),
      precision(chosen_precision(load.precision)),
      files(weights.files()),
      tokens(weights, product_options(precision, load.keep_tiles)),
      width(tokens.width()),
      inner(matrix_shape(weights, "layers.0.feed_forward.0.weight")[0]) {
  if (width % 2 != 0)
    throw Error(ErrorCode::format,
                fmt::format("{}: has an odd width, {}; must have an even one", weights.name(), width));
  if (options.heads == 0) refuse("heads: the file does not tell them; give those of the training recipe");
  if (width % options.heads != 0) {
    fail_setting(
        weights, given.heads != 0,
        fmt::format("heads: is {}; must be the heads of the training recipe, which divide the width, {}",
                    options.heads, width));
  }
  if (weights.has("layers.0.attention.query_input.range")) {
    throw Error(ErrorCode::unsupported,
                weights.name() + ": was trained with integer activations (activation_bits); must be without");
  }
  const quant::PackedLinearOptions product = product_options(precision, load.keep_tiles);
  for (std::int64_t i = 0; i == 0 || weights.has_part(fmt::format("layers.{}.", i)); ++i) {
    blocks.emplace_back(weights, fmt::format("layers.{}", i), width, inner, product);
  }
  if (has_final_norm(weights, has_norm)) norm.emplace(weights, "norm", width, kLanguageNormEpsilon);
  const std::int64_t count = std::ssize(blocks);
  layers = options.layers == 0 ? count : options.layers;
  if (layers != count && layers != 2 * count && layers != 2 * count - 1) {
    fail_setting(
        weights, given.layers != 0,
        fmt::format("layers: is {}; the file has {}, which can also be {} or {} layers that share weights",
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
std::int64_t LanguageModel::blocks() const {
  return std::ssize(data_->blocks);
}
std::int64_t LanguageModel::width() const {
  return data_->width;
}
bool LanguageModel::final_norm() const {
  return data_->norm.has_value();
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
  Weights weights(weights_path(model), context);
  if (weights.has_part("decoder.")) {
    throw Error(
        ErrorCode::unsupported,
        weights.name() +
            ": has the names of fairseq; must have those that parsimony train writes, which reads such "
            "weights");
  }
  data::LanguageConfig told;
  if (weights.network() != nullptr) {
    told = data::parse_language_config(*weights.network(), weights.network_name());
  }
  context.require_memory(weights.packed_bytes(product_options(options)).total() +
                             TokenLayers::lookup_bytes(weights) + TokenLayers::decoded_bytes(weights),
                         "the codes of the network, a byte or two each, and those of its embedding again");
  LanguageModel out;
  out.data_ = std::make_shared<const LanguageModel::Data>(weights, completed(language, told), language,
                                                          told.final_norm, options);
  weights.check_unchanged();
  return out;
}

}  // namespace parsimony::run
