// The layers of a BERT or RoBERTa.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parsimony/data/sentence_tokenizer.hpp"
#include "parsimony/run/network.hpp"
#include "run/attention.hpp"
#include "run/layers.hpp"

namespace parsimony::run {

/// Memory of the activations of a batch.
struct Activations {
  Activations(const data::EncoderConfig& config, std::int64_t tokens);

  Matrix<float> x;       ///< tokens × width: hidden states
  Matrix<float> change;  ///< tokens × width: the output of a part, before it is added to x
  Matrix<float> inner;   ///< tokens × max(3 width, feed_forward): queries, keys, values; or the inner layer

  static std::int64_t bytes(const data::EncoderConfig& config, std::int64_t tokens);
};

class EncoderLayer {
 public:
  EncoderLayer(Weights& weights, const std::string& name, const data::EncoderConfig& config,
               const quant::PackedLinearOptions& options);

  void run(std::span<const TextRows> texts, std::int64_t heads, std::int64_t tokens, Activations& memory,
           const Context& context) const;
  std::int64_t bytes() const;
  std::int64_t in_codes() const;
  /// Most memory of a product with so many tokens.
  std::int64_t product_bytes(std::int64_t tokens, int threads) const;

 private:
  std::array<const LinearLayer*, 6> linear() const {
    return {&query_, &key_, &value_, &attention_output_, &inner_, &output_};
  }

  LinearLayer query_, key_, value_, attention_output_, inner_, output_;
  NormLayer attention_norm_, output_norm_;
};

/// The head of a classification: a layer with tanh on the first token, and the scores.
struct ClassificationHead {
  LinearLayer dense, classifier;
};

struct Network::Data {
  Data(Weights& weights, data::EncoderConfig config, const LoadOptions& options);

  /// Hidden states of the texts in memory.x.
  void encode(std::span<const data::EncodedText> texts, std::span<const TextRows> rows, Activations& memory,
              const Context& context) const;

  data::EncoderConfig config;
  Precision precision;
  std::vector<SafetensorsFile> files;  // hold the floats
  EmbeddingLayer words, positions, types;
  NormLayer norm;
  std::vector<EncoderLayer> layers;  // one for each pair of shared ones
  std::optional<ClassificationHead> head;
};

}  // namespace parsimony::run
