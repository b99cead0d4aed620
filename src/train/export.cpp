#include "parsimony/train/export.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <vector>

#include "parsimony/core/error.hpp"
#include "parsimony/core/half.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/quant/integer_quantizer.hpp"
#include "train/layers.hpp"
#include "train/named_tensors.hpp"

namespace parsimony::train {
namespace {

std::vector<float> floats_of(const torch::Tensor& tensor) {
  const torch::Tensor values = tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
  return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

bool fits_half(std::span<const float> values, bool buffer) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return std::all_of(values.begin(), values.end(), [&](float value) {
    const float apart = std::abs(from_half(to_half(value)) - value);  // infinite beyond the range of float16
    return apart <= 0x1p-11f * (buffer ? std::abs(value) : largest);
  });
}

// The model of the file, and the bytes of its tensors that are not quantized.
struct Exported {
  quant::CompactModel model;
  std::deque<std::vector<std::uint8_t>> bytes;
};

class Exporter {
 public:
  Exporter(torch::nn::Module& model, const std::map<std::string, quant::QuantizedTensor>& tensors,
           const ExportOptions& options)
      : tensors_(tensors), options_(options) {
    validate_fields(options);
    for (const Layer& layer : weight_layers(model)) {
      const std::string name = layer.name.empty() ? "weight" : layer.name + ".weight";
      kinds_[name] = layer.convolution ? "conv" : layer.embedding ? "embedding" : "linear";
      if (tensors.contains(layer.name)) weights_[name] = &tensors.at(layer.name);
    }
    for (const auto& [name, tensor] : tensors) {
      const std::string weight = name.empty() ? "weight" : name + ".weight";
      if (weights_.contains(weight)) continue;
      refuse(fmt::format("export: the model has no layer \"{}\"", name));
    }
    out_.model.recipe.deflated = options.deflate_header;
    for (const NamedTensor& entry : named_tensors(model)) {
      // If several names share a weight, prefer the one that is quantized.
      const auto coded = std::find_if(entry.names.begin(), entry.names.end(),
                                      [&](const std::string& name) { return weights_.contains(name); });
      const std::string& name = coded == entry.names.end() ? entry.names.front() : *coded;
      const std::string stored = add(name, entry);
      for (const std::string& other : entry.names) {
        if (other != stored) out_.model.recipe.aliases.emplace(other, stored);
      }
    }
    share_codebooks();
  }

  Exported take() { return std::move(out_); }

 private:
  // Returns the name under which the tensor is stored.
  std::string add(const std::string& name, const NamedTensor& entry) {
    const torch::Tensor& tensor = entry.tensor;
    if (const auto found = weights_.find(name); found != weights_.end()) {
      if (found->second->shape != tensor.sizes().vec()) {
        refuse(fmt::format("export: the codes for {1} have shape [{0}]; must be [{2}]",
                           fmt::join(found->second->shape, ", "), quoted_name(name),
                           fmt::join(tensor.sizes().vec(), ", ")));
      }
      add_weight(name, *found->second);
      return name;
    }
    const bool integers = tensor.scalar_type() == torch::kLong;
    if (!tensor.is_floating_point() && !integers) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("export: {} has neither a float type nor int64", quoted_name(name)));
    }
    quant::OtherRecipe other{{name, DType::float32, tensor.sizes().vec()}, DType::float32};
    std::vector<std::uint8_t> bytes;
    if (integers) {
      other.dtype = other.stored_dtype = DType::int64;
      const torch::Tensor values = tensor.detach().to(torch::kCPU).contiguous();
      const auto* first = static_cast<const std::uint8_t*>(values.data_ptr());
      bytes.assign(first, first + values.nbytes());
    } else {
      const std::vector<float> values = floats_of(tensor);
      const bool codes = options_.others == OtherTensors::int8 && !entry.buffer && tensor.numel() > 0 &&
                         tensor.dim() >= 2 && tensor.dim() <= 5;
      if (codes) {
        add_int8(name, values, other.shape);
        return name;
      }
      if (options_.others != OtherTensors::float32 && fits_half(values, entry.buffer)) {
        other.stored_dtype = DType::float16;
      }
      bytes = tensor_bytes(values, other.stored_dtype);
    }
    if (const auto equal = entry.buffer ? equal_buffer(other, bytes) : std::nullopt) return *equal;
    out_.bytes.push_back(std::move(bytes));
    TensorView view{other, out_.bytes.back()};
    view.dtype = other.stored_dtype;
    out_.model.others.push_back(std::move(view));
    out_.model.recipe.others.push_back(std::move(other));
    buffers_.push_back(entry.buffer);
    return name;
  }

  // After fold_statistics() all batch norms of a width have the same statistics.
  std::optional<std::string> equal_buffer(const quant::OtherRecipe& other,
                                          const std::vector<std::uint8_t>& bytes) const {
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      const quant::OtherRecipe& known = out_.model.recipe.others[i];
      if (!buffers_[i] || known.dtype != other.dtype || known.stored_dtype != other.stored_dtype ||
          known.shape != other.shape ||
          !std::equal(bytes.begin(), bytes.end(), out_.model.others[i].data.begin())) {
        continue;
      }
      return known.name;
    }
    return std::nullopt;
  }

  void add_weight(const std::string& name, quant::QuantizedTensor tensor) {
    quant::WeightRecipe recipe = quant::recipe_of(name, tensor, options_.others != OtherTensors::float32);
    if (const auto kind = kinds_.find(name); kind != kinds_.end()) recipe.kind = kind->second;
    out_.model.recipe.weights.push_back(std::move(recipe));
    out_.model.weights.push_back(std::move(tensor));
  }

  void add_int8(const std::string& name, std::span<const float> values, std::span<const std::int64_t> shape) {
    quant::QuantizedTensor tensor = quant::integer_quantize({.values = values, .shape = shape},
                                                            {.bits = 8, .range = quant::RangeRule::mse});
    add_weight(name, std::move(tensor));
  }

  void share_codebooks() {
    std::map<const quant::Codebook*, std::vector<std::size_t>> users;
    for (std::size_t i = 0; i < out_.model.weights.size(); ++i) {
      if (const auto* codebook = out_.model.weights[i].codebook.get()) users[codebook].push_back(i);
    }
    auto& weights = out_.model.recipe.weights;
    for (const auto& [codebook, sharing] : users) {
      if (sharing.size() < 2) continue;
      for (const std::size_t i : sharing) weights[i].codebook = weights[sharing.front()].name + "_codebook";
    }
  }

  const std::map<std::string, quant::QuantizedTensor>& tensors_;
  const ExportOptions& options_;
  std::map<std::string, std::string> kinds_;                      // kinds of weights by name
  std::map<std::string, const quant::QuantizedTensor*> weights_;  // quantized
  std::vector<bool> buffers_;                                     // whether each of the others is a buffer
  Exported out_;
};

void set_to(torch::nn::Module& model, const Exported& exported) {
  const torch::NoGradGuard no_gradient;
  std::map<std::string, torch::Tensor> places;
  for (const NamedTensor& entry : named_tensors(model)) {
    for (const std::string& name : entry.names) places.emplace(name, entry.tensor);
  }
  const auto set = [&](const std::string& name, const std::vector<std::int64_t>& shape,
                       std::vector<float> values) {
    places.at(name).copy_(torch::from_blob(values.data(), shape, torch::kFloat));
  };
  const quant::CompactModel& file = exported.model;
  for (std::size_t i = 0; i < file.weights.size(); ++i) {
    set(file.recipe.weights[i].name, file.weights[i].shape, quant::decode(file.weights[i]));
  }
  for (const TensorView& other : file.others) {
    if (other.dtype != DType::int64) set(other.name, other.shape, float32_values(other));
  }
  for (const auto& [alias, target] : file.recipe.aliases) {
    torch::Tensor& place = places.at(alias);
    if (!place.is_same(places.at(target))) place.copy_(places.at(target));
  }
}

}  // namespace

quant::CompactRecipe export_recipe(torch::nn::Module& model,
                                   const std::map<std::string, quant::QuantizedTensor>& tensors,
                                   const ExportOptions& options) {
  return Exporter(model, tensors, options).take().model.recipe;
}

void export_compact(const OutputPath& path, torch::nn::Module& model,
                    const std::map<std::string, quant::QuantizedTensor>& tensors,
                    const ExportOptions& options, const TensorMetadata& metadata) {
  Exported exported = Exporter(model, tensors, options).take();
  exported.model.recipe.metadata = metadata;
  quant::write_compact_file(path, exported.model);
  set_to(model, exported);
}

}  // namespace parsimony::train
