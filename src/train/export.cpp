#include "parsimony/train/export.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "parsimony/core/error.hpp"
#include "parsimony/core/half.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/quant/integer_quantizer.hpp"
#include "train/layers.hpp"

namespace parsimony::train {
namespace {

struct Entry {
  std::string name;
  torch::Tensor tensor;
  bool buffer = false;
};

// A shared tensor comes again under its other names.
std::vector<Entry> entries(const torch::nn::Module& model) {
  std::vector<Entry> out;
  for (const auto& item : model.named_parameters()) out.push_back({item.key(), item.value(), false});
  for (const auto& item : model.named_buffers()) out.push_back({item.key(), item.value(), true});
  std::erase_if(out, [](const Entry& entry) { return !entry.tensor.defined(); });
  return out;
}

std::vector<float> floats_of(const torch::Tensor& tensor) {
  const torch::Tensor values = tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
  return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

bool fits_half(std::span<const float> values, bool buffer) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return std::all_of(values.begin(), values.end(), [&](float value) {
    const float apart = std::abs(from_half(to_half(value)) - value);  // infinite beyond the halves
    return apart <= 0x1p-11f * (buffer ? std::abs(value) : largest);
  });
}

// The model in the file, and the bytes of its tensors that are not in codes.
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
      throw Error(ErrorCode::invalid_argument, fmt::format("export: the model has no layer \"{}\"", name));
    }
    out_.model.recipe.deflated = options.deflate_header;
    std::vector<Entry> all = entries(model);
    // Of names that share a weight the one that has codes.
    std::stable_partition(all.begin(), all.end(), [&](const Entry& e) { return weights_.contains(e.name); });
    for (const Entry& entry : all) {
      if (!tie_shared(entry)) add(entry);
    }
    share_codebooks();
  }

  Exported take() { return std::move(out_); }

 private:
  bool tie_shared(const Entry& entry) {
    for (const Entry& other : seen_) {
      if (!other.tensor.is_same(entry.tensor)) continue;
      out_.model.recipe.aliases.emplace(entry.name, other.name);
      return true;
    }
    seen_.push_back(entry);
    return false;
  }

  void add(const Entry& entry) {
    const torch::Tensor& tensor = entry.tensor;
    if (const auto found = weights_.find(entry.name); found != weights_.end()) {
      if (found->second->shape != tensor.sizes().vec()) {
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("export: codes of shape [{}] for {}, which has [{}]",
                                fmt::join(found->second->shape, ", "), quoted_name(entry.name),
                                fmt::join(tensor.sizes().vec(), ", ")));
      }
      return add_weight(entry.name, *found->second);
    }
    const bool integers = tensor.scalar_type() == torch::kLong;
    if (!tensor.is_floating_point() && !integers) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("export: {} is neither of floats nor of int64", quoted_name(entry.name)));
    }
    quant::OtherRecipe other{{entry.name, DType::float32, tensor.sizes().vec()}, DType::float32};
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
      if (codes) return add_int8(entry.name, values, other.shape);
      if (options_.others != OtherTensors::float32 && fits_half(values, entry.buffer)) {
        other.stored_dtype = DType::float16;
      }
      bytes = tensor_bytes(values, other.stored_dtype);
    }
    if (entry.buffer && tie_equal(other, bytes)) return;
    out_.bytes.push_back(std::move(bytes));
    TensorView view{other, out_.bytes.back()};
    view.dtype = other.stored_dtype;
    out_.model.others.push_back(std::move(view));
    out_.model.recipe.others.push_back(std::move(other));
    buffers_.push_back(entry.buffer);
  }

  // Of batch norms that were folded all statistics are the same.
  bool tie_equal(const quant::OtherRecipe& other, const std::vector<std::uint8_t>& bytes) {
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      const quant::OtherRecipe& known = out_.model.recipe.others[i];
      if (!buffers_[i] || known.dtype != other.dtype || known.stored_dtype != other.stored_dtype ||
          known.shape != other.shape ||
          !std::equal(bytes.begin(), bytes.end(), out_.model.others[i].data.begin())) {
        continue;
      }
      out_.model.recipe.aliases.emplace(other.name, known.name);
      return true;
    }
    return false;
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
    for (const auto& [codebook, who] : users) {
      if (who.size() < 2) continue;
      for (const std::size_t i : who) weights[i].codebook = weights[who.front()].name + "_codebook";
    }
  }

  const std::map<std::string, quant::QuantizedTensor>& tensors_;
  const ExportOptions& options_;
  std::map<std::string, std::string> kinds_;                      // of weights
  std::map<std::string, const quant::QuantizedTensor*> weights_;  // in codes
  std::vector<Entry> seen_;
  std::vector<bool> buffers_;  // of others
  Exported out_;
};

void set_to(torch::nn::Module& model, const Exported& exported) {
  const torch::NoGradGuard no_gradient;
  std::map<std::string, torch::Tensor> places;
  for (const Entry& entry : entries(model)) places.emplace(entry.name, entry.tensor);
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

void export_compact(const std::filesystem::path& path, torch::nn::Module& model,
                    const std::map<std::string, quant::QuantizedTensor>& tensors,
                    const ExportOptions& options) {
  const Exported exported = Exporter(model, tensors, options).take();
  quant::write_compact_file(path, exported.model);
  quant::verify_compact_file(path, exported.model);
  set_to(model, exported);
}

}  // namespace parsimony::train
