#include "quant/plan/measure.hpp"

#include <algorithm>
#include <utility>

#include "parsimony/quant/decode.hpp"
#include "quant/codes/weight_error.hpp"
#include "quant/plan/compress_weight.hpp"

namespace parsimony::quant {
namespace {

constexpr std::int64_t kMeasuredValues = std::int64_t{1} << 22;

std::vector<float> every_nth_output(std::span<const float> values, std::int64_t outputs, std::int64_t step) {
  const std::int64_t n = std::ssize(values) / outputs;
  std::vector<float> out;
  for (std::int64_t o = 0; o < outputs; o += step) {
    out.insert(out.end(), values.begin() + o * n, values.begin() + (o + 1) * n);
  }
  return out;
}

std::int64_t bytes_of(const QuantizedTensor& tensor) {
  std::int64_t bytes = std::ssize(tensor.packed) + std::ssize(tensor.scale) * std::int64_t{sizeof(float)} +
                       std::ssize(tensor.zero_point) * std::int64_t{sizeof(std::int32_t)};
  if (tensor.codebook) bytes += tensor.codebook->centroids.size() * std::int64_t{sizeof(float)};
  return bytes;
}

}  // namespace

Measured measure(const TensorView& weight, const std::vector<WeightRecipe>& candidates,
                 std::span<const float> importance, const CompressOptions& options, const Context& context) {
  std::vector<float> values = float32_values(weight), part_importance;
  std::vector<std::int64_t> shape = weight.shape;
  const std::int64_t outputs = shape[0];
  const std::int64_t step = std::max<std::int64_t>(1, std::ssize(values) / kMeasuredValues);
  if (step > 1) {
    if (importance.size() == values.size()) {
      importance = part_importance = every_nth_output(importance, outputs, step);
    }
    values = every_nth_output(values, outputs, step);
    shape[0] = (outputs + step - 1) / step;
  }
  const WeightView view{.values = values, .shape = shape, .importance = importance};
  Measured out;
  for (const WeightRecipe& recipe : candidates) {
    context.check_cancelled();
    QuantizedTensor tensor = quantize_weight(view, recipe, options, context);
    const WeightError error = weight_error(view, decode(tensor, context));
    out.errors.push_back(error.error * static_cast<double>(outputs) / static_cast<double>(shape[0]));
    if (step == 1) out.codes.push_back({std::move(tensor), error.error, error.norm});
  }
  return out;
}

void KeptCodes::add(std::vector<MeasuredCodes> codes, const Choices& hull) {
  auto& kept = weights_.emplace_back();
  if (codes.empty()) return;
  for (const std::size_t candidate : hull) {
    const std::int64_t bytes = bytes_of(codes[candidate].tensor);
    if (bytes_ + bytes > kMostKeptBytes) continue;
    bytes_ += bytes;
    kept.push_back({candidate, std::move(codes[candidate])});
  }
}

std::optional<MeasuredCodes> KeptCodes::take(std::size_t w, std::size_t candidate) {
  for (Kept& kept : weights_[w]) {
    if (kept.candidate == candidate) return std::move(kept.codes);
  }
  return std::nullopt;
}

}  // namespace parsimony::quant
