#include "run/token_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/row_dots.hpp"
#include "run/pointwise.hpp"

namespace parsimony::run {
namespace {

Matrix<float> transposed_weight(Weights& weights, const std::string& tensor, std::int64_t rows,
                                std::int64_t columns) {
  const std::vector<float> values = decoded_weight(weights, tensor);
  Matrix<float> out(columns, rows);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) out(c, r) = values[r * columns + c];
  }
  return out;
}

// Subtracts ln Σ exp, so that the values become ln p, and adds `more`.
void to_log_probabilities(std::span<float> values, float more) {
  const float most = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (const float value : values) sum += std::exp(static_cast<double>(value) - most);
  const auto shift = static_cast<float>(more - most - std::log(sum));
  for (float& value : values) value += shift;
}

}  // namespace

std::int64_t TokenLayers::lookup_bytes(const Weights& weights) {
  std::int64_t bytes = 0;
  const auto add = [&](const std::string& name) {
    if (weights.in_codes(name)) bytes += quant::most_embedding_bytes(weights.codes(name));
  };
  add("embedding.weight");
  for (std::int64_t i = 0;; ++i) {
    const std::string name = fmt::format("embedding.bands.{}.words.weight", i);
    if (!weights.has(name)) return bytes;
    add(name);
  }
}

std::int64_t TokenLayers::decoded_bytes(const Weights& weights) {
  std::int64_t bytes = 0;
  for (std::int64_t i = 1;; ++i) {
    const std::string name = fmt::format("embedding.bands.{}.projection.weight", i);
    if (!weights.has(name)) return bytes;
    const auto [rows, columns] = matrix_shape(weights, name);
    bytes += 2 * static_cast<std::int64_t>(sizeof(float)) * rows * columns;
  }
}

TokenLayers::TokenLayers(Weights& weights, const quant::PackedLinearOptions& options) {
  using enum LinearLayer::Bias;
  if (weights.has("embedding.bands.0.words.weight")) {
    add_bands(weights, options);
    return;
  }
  const auto [tokens, width] = matrix_shape(weights, "embedding.weight");
  vocabulary_ = tokens;
  width_ = width;
  embedding_.emplace(weights, "embedding", vocabulary_, width_);
  output_.emplace(weights, weights.has("output.weight") ? "output" : "embedding", vocabulary_, width_,
                  options, none);
}

void TokenLayers::add_bands(Weights& weights, const quant::PackedLinearOptions& options) {
  using enum LinearLayer::Bias;
  width_ = matrix_shape(weights, "embedding.bands.0.words.weight")[1];
  for (std::int64_t i = 0;; ++i) {
    const std::string name = fmt::format("embedding.bands.{}", i);
    if (!weights.has_part(name + ".")) break;
    const auto [count, values] = matrix_shape(weights, name + ".words.weight");
    // Vectors of the width hold the values of any band.
    if (values > width_) weights.fail(name + ".words.weight", "has more values than the first band");
    bands_.push_back(
        {vocabulary_, count, values, EmbeddingLayer(weights, name + ".words", count, values),
         LinearLayer(weights, name + ".projection", width_, values, options, none),
         LinearLayer(weights, name + ".words", count, values, options, none),
         i == 0 ? Matrix<float>() : transposed_weight(weights, name + ".projection.weight", width_, values)});
    vocabulary_ += count;
  }
  const auto later = std::ssize(bands_) - 1;
  if (later < 1) weights.fail("embedding.bands.1.words.weight", "is missing; there are at least two bands");
  classes_.emplace(weights, "output_classes", later, width_, options, none);
}

std::vector<const LinearLayer*> TokenLayers::linear() const {
  std::vector<const LinearLayer*> out;
  if (output_) out.push_back(&*output_);
  for (const Band& band : bands_) {
    out.push_back(&band.projection);
    out.push_back(&band.scores);
  }
  if (classes_) out.push_back(&*classes_);
  return out;
}

std::int64_t TokenLayers::bytes() const {
  std::int64_t sum = embedding_ ? embedding_->bytes() : 0;
  for (const Band& band : bands_) sum += band.words.bytes() + 4 * band.transposed.size();
  for (const LinearLayer* layer : linear()) sum += layer->bytes();
  return sum;
}

std::int64_t TokenLayers::in_codes() const {
  std::int64_t count = 0;
  for (const LinearLayer* layer : linear()) count += int{layer->in_codes()};
  return count;
}

std::int64_t TokenLayers::product_bytes(std::int64_t rows, int threads) const {
  std::int64_t most = 0;
  for (const LinearLayer* layer : linear()) most = std::max(most, layer->product_bytes(rows, threads));
  return most + 8 * width_ + 4 * (bands_.empty() ? 0 : bands_[0].count + std::ssize(bands_));
}

void TokenLayers::embed(std::int32_t token, std::span<float> to, const Context& context) const {
  std::fill(to.begin(), to.end(), 0.0F);
  if (embedding_) return embedding_->add_row(token, to);
  const auto band = std::find_if(bands_.begin(), bands_.end(),
                                 [&](const Band& one) { return token < one.first + one.count; });
  std::vector<float> values(band->values);
  band->words.add_row(token - band->first, values);
  band->projection.multiply({values.data(), 1, band->values}, {to.data(), 1, width_}, context);
}

void TokenLayers::score(std::span<const float> x, std::span<float> scores, const Context& context) const {
  const MatrixView<const float> row(x.data(), 1, width_);
  if (output_) return score(row, {scores.data(), 1, vocabulary_}, context);
  // Tokens of the first band compete with the other bands as wholes.
  const std::int64_t first = bands_[0].count, later = std::ssize(bands_) - 1;
  std::vector<float> head(first + later), values(width_);
  bands_[0].scores.multiply(row, {head.data(), 1, first}, context);
  classes_->multiply(row, {head.data() + first, 1, later}, context);
  to_log_probabilities(head, 0);
  std::copy_n(head.begin(), first, scores.begin());
  for (std::int64_t b = 1; b <= later; ++b) {
    const Band& band = bands_[b];
    kernels::row_dots({band.transposed.data(), kernels::RowType::float32, width_}, 0, band.values, x.data(),
                      width_, 1, values.data(), band.values);
    const std::span<float> own = scores.subspan(band.first, band.count);
    band.scores.multiply({values.data(), 1, band.values}, {own.data(), 1, band.count}, context);
    to_log_probabilities(own, head[first + b - 1]);
  }
}

void TokenLayers::score(MatrixView<const float> x, MatrixView<float> scores, const Context& context) const {
  if (output_) return output_->multiply(x, scores, context);
  for (std::int64_t r = 0; r < x.rows; ++r) score(x.row(r), scores.row(r), context);
}

}  // namespace parsimony::run
