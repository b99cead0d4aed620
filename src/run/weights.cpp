#include "run/weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "parsimony/core/error.hpp"
#include "run/model_path.hpp"

namespace parsimony::run {
namespace {

std::int64_t values_of(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace

Weights::Weights(const std::filesystem::path& path, const Context& context) : file_(path, context) {
  if (!quant::is_compact_file(file_)) {
    for (const TensorView& tensor : file_.tensors()) floats_.emplace(tensor.name, &tensor);
    return;
  }
  compact_ = quant::read_compact_file(file_, quant::CodesIn::file, context);
  for (std::size_t i = 0; i < compact_->recipe.weights.size(); ++i) {
    codes_.emplace(compact_->recipe.weights[i].name, i);
  }
  for (std::size_t i = 0; i < compact_->recipe.others.size(); ++i) {
    floats_.emplace(compact_->recipe.others[i].name, &compact_->others[i]);
  }
}

void Weights::fail(std::string_view tensor, const std::string& what) const {
  throw Error(ErrorCode::format, fmt::format("{}: tensor {}: {}", name(), quoted_name(tensor), what));
}

std::string_view Weights::resolved(std::string_view tensor) const {
  if (!compact_) return tensor;
  const auto alias = compact_->recipe.aliases.find(tensor);
  return alias == compact_->recipe.aliases.end() ? tensor : alias->second;
}

bool Weights::has(std::string_view tensor) const {
  return codes_.contains(resolved(tensor)) || floats_.contains(resolved(tensor));
}

bool Weights::has_part(std::string_view prefix) const {
  const auto in = [&](const auto& names) {
    const auto at = names.lower_bound(prefix);
    return at != names.end() && std::string_view(at->first).starts_with(prefix);
  };
  return in(codes_) || in(floats_) || (compact_ && in(compact_->recipe.aliases));
}

bool Weights::in_codes(std::string_view tensor) const {
  return codes_.contains(resolved(tensor));
}

std::vector<std::int64_t> Weights::shape_of(const std::string& tensor) const {
  if (const auto found = codes_.find(resolved(tensor)); found != codes_.end()) {
    return compact_->recipe.weights[found->second].shape;
  }
  const auto found = floats_.find(resolved(tensor));
  if (found == floats_.end()) fail(tensor, "is missing; the network has it");
  return found->second->shape;
}

void Weights::check_shape(const std::string& tensor, std::span<const std::int64_t> shape) const {
  const std::vector<std::int64_t> found = shape_of(tensor);
  if (std::equal(found.begin(), found.end(), shape.begin(), shape.end())) return;
  fail(tensor, fmt::format("has the shape [{}]; the network asks for [{}]", fmt::join(found, ", "),
                           fmt::join(shape, ", ")));
}

const quant::QuantizedTensor& Weights::codes(std::string_view tensor) const {
  const quant::QuantizedTensor& found = compact_->weights[codes_.find(resolved(tensor))->second];
  if (!found.axes.standard()) {
    fail(tensor, "has codes by another dimension than the first (option axis); must have them by the first");
  }
  return found;
}

const TensorView& Weights::floats(const std::string& tensor) const {
  const auto found = floats_.find(resolved(tensor));
  if (found == floats_.end()) fail(tensor, in_codes(tensor) ? "is in codes; must be floats" : "is missing");
  if (!has_float32_values(found->second->dtype)) {
    fail(tensor, fmt::format("has dtype {}; must be F32, F16 or BF16", enum_name(found->second->dtype)));
  }
  return *found->second;
}

std::vector<float> Weights::values(const std::string& tensor, std::span<const std::int64_t> shape) const {
  check_shape(tensor, shape);
  return float32_values(floats(tensor));
}

const std::string* Weights::network() const {
  const TensorMetadata& metadata = compact_ ? compact_->recipe.metadata : file_.metadata();
  const auto found = metadata.find(quant::kNetworkKey);
  return found == metadata.end() ? nullptr : &found->second;
}

std::int64_t Weights::value_count() const {
  return coded_values(std::numeric_limits<std::int64_t>::max()) + float_count();
}

std::int64_t Weights::coded_values(std::int64_t most) const {
  std::int64_t count = 0;
  for (const auto& [tensor, index] : codes_) {
    const std::int64_t values = values_of(compact_->recipe.weights[index].shape);
    if (values <= most) count += values;
  }
  return count;
}

std::int64_t Weights::float_count() const {
  std::int64_t count = 0;
  // By the bytes: a shape with a 0 may have a product that no number holds.
  for (const auto& [tensor, view] : floats_) count += view->bytes() * 8 / bits_of(view->dtype);
  return count;
}

quant::PackedBytes Weights::packed_bytes(const quant::PackedLinearOptions& options) const {
  quant::PackedBytes bytes;
  if (!compact_) return bytes;
  for (const quant::QuantizedTensor& weight : compact_->weights) {
    bytes += quant::most_packed_bytes(weight, options);
  }
  return bytes;
}

std::vector<SafetensorsFile> Weights::files() const {
  return compact_ ? compact_->storage : std::vector<SafetensorsFile>{file_};
}

std::optional<std::filesystem::path> config_file(const Weights& weights, const std::filesystem::path& model,
                                                 const std::filesystem::path& folder) {
  std::filesystem::path config = folder_of(model, folder) / "config.json";
  if (weights.network() != nullptr && (folder.empty() || !has_file(config))) return std::nullopt;
  return config;
}

std::array<std::int64_t, 2> matrix_shape(const Weights& weights, const std::string& tensor) {
  const std::vector<std::int64_t> shape = weights.shape_of(tensor);
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1) {
    weights.fail(tensor, "must have two dimensions of at least 1");
  }
  return {shape[0], shape[1]};
}

}  // namespace parsimony::run
