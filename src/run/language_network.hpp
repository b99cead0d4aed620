// The layers of a language model.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parsimony/run/language_model.hpp"
#include "run/layers.hpp"
#include "run/token_layers.hpp"

namespace parsimony::run {

inline constexpr double kLanguageNormEpsilon = 1e-5;

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

struct LanguageModel::Data {
  /// given: the settings of the caller; options_ has those of the metadata, too. has_norm: whether a norm
  /// follows the last layer, as the metadata tell it.
  Data(Weights& weights, const LanguageOptions& options_, const LanguageOptions& given,
       std::optional<bool> has_norm, const LoadOptions& load);

  LanguageOptions options;
  Precision precision;
  std::vector<SafetensorsFile> files;  // hold the floats and codes
  TokenLayers tokens;
  std::int64_t width, inner;
  std::vector<LanguageBlock> blocks;
  std::optional<NormLayer> norm;  // none with final_norm false
  std::int64_t layers = 0;

  /// Memory of activations, and of the largest product, of so many tokens side by side.
  std::int64_t run_bytes(std::int64_t tokens, int threads) const;
};

}  // namespace parsimony::run
