#include "parsimony/models/weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/count_of.hpp"
#include "models/fairseq_names.hpp"
#include "models/layer_input.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/data/language_config.hpp"
#include "parsimony/models/transformer.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/decode.hpp"
#include "train/named_tensors.hpp"

namespace parsimony::models {
namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

bool may_be_missing(const std::string& name) {
  return name.ends_with("num_batches_tracked");
}

torch::Tensor tensor_of(std::vector<float> values, const std::vector<std::int64_t>& shape) {
  return torch::from_blob(values.data(), shape, torch::kFloat).clone();
}

torch::Tensor from_file(const TensorView& view) {
  if (view.dtype == DType::int64) {
    torch::Tensor out = torch::empty(view.shape, torch::kLong);
    std::memcpy(out.data_ptr(), view.data.data(), view.data.size());
    return out;
  }
  return tensor_of(float32_values(view), view.shape);
}

// The tensors of a plain or compact model by name.
class WeightSource {
 public:
  explicit WeightSource(const SafetensorsFile& file) : file_(&file), name_(file.name()) {
    if (quant::is_compact_file(file)) {
      read_ = quant::read_compact_file(file);
      add_names(*read_);
      return;
    }
    for (const TensorView& tensor : file.tensors()) names_.insert(tensor.name);
  }
  explicit WeightSource(const quant::CompactModel& compact) : name_("the quantized model") {
    add_names(compact);
  }
  WeightSource(const WeightSource&) = delete;
  WeightSource& operator=(const WeightSource&) = delete;

  const std::string& name() const { return name_; }
  const std::set<std::string, std::less<>>& names() const { return names_; }

  /// From now on the tensors have the names of a Transformer. Throws format if two tensors that the model
  /// ties are not equal.
  void take_fairseq_names(const TransformerOptions& options) {
    std::set<std::string, std::less<>> names;
    std::map<std::string, std::string> stored;
    for (const std::string& name : names_) {
      const std::string own = transformer_name(name, options).value_or(name);
      if (own.empty()) continue;
      const auto [first, added] = stored.emplace(own, name);
      if (!added && (shape(first->second) != shape(name) || !torch::equal(read(first->second), read(name)))) {
        throw Error(ErrorCode::format,
                    fmt::format("{}: {} and {} differ; the model has one tensor in their place", name_,
                                quoted_name(first->second), quoted_name(name)));
      }
      names.insert(own);
    }
    names_ = std::move(names);
    stored_ = std::move(stored);
  }

  /// nullptr if the tensor is quantized.
  const TensorView* view(const std::string& own) const {
    const std::string& name = stored_name(own);
    if (compact_ == nullptr) return &file_->at(name);
    const auto alias = compact_->recipe.aliases.find(name);
    const std::string& stored = alias == compact_->recipe.aliases.end() ? name : alias->second;
    const auto found = std::find_if(compact_->others.begin(), compact_->others.end(),
                                    [&](const TensorView& other) { return other.name == stored; });
    return found == compact_->others.end() ? nullptr : &*found;
  }
  const std::vector<std::int64_t>& shape(const std::string& name) const {
    const TensorView* plain = view(name);
    return plain != nullptr ? plain->shape : compact_->find_weight(stored_name(name))->shape;
  }
  torch::Tensor read(const std::string& name) const {
    const TensorView* plain = view(name);
    if (plain != nullptr) return from_file(*plain);
    return tensor_of(quant::decode(*compact_->find_weight(stored_name(name))), shape(name));
  }

 private:
  void add_names(const quant::CompactModel& compact) {
    compact_ = &compact;
    for (const quant::WeightRecipe& weight : compact.recipe.weights) names_.insert(weight.name);
    for (const auto& [name, same] : compact.recipe.aliases) names_.insert(name);
    for (const TensorView& tensor : compact.others) names_.insert(tensor.name);
  }

  // The name in the file of a tensor with this name.
  const std::string& stored_name(const std::string& own) const {
    const auto found = stored_.find(own);
    return found == stored_.end() ? own : found->second;
  }

  const SafetensorsFile* file_ = nullptr;
  std::optional<quant::CompactModel> read_;
  const quant::CompactModel* compact_ = nullptr;
  std::string name_;
  std::set<std::string, std::less<>> names_;
  std::map<std::string, std::string> stored_;  // by the names of the model, where the file has others
};

// Up to eight of the texts, and how many more there are.
std::string first_of(const std::vector<std::string>& texts) {
  constexpr std::size_t kShown = 8;
  std::string out =
      fmt::format("{}", fmt::join(texts.begin(), texts.begin() + std::min(kShown, texts.size()), ", "));
  return texts.size() > kShown ? fmt::format("{} and {} more", out, texts.size() - kShown) : out;
}

// The differences between a file and a model.
struct Misfits {
  std::vector<std::string> missing, unexpected, others;

  bool none() const { return missing.empty() && unexpected.empty() && others.empty(); }
  std::string text() const {
    std::vector<std::string> parts;
    if (missing.size() == 1) parts.push_back("the model's tensor " + missing.front() + " is missing");
    if (missing.size() > 1) {
      parts.push_back(fmt::format("{} of the model {} missing: {}", count_of(missing.size(), "tensor"),
                                  noun_of(missing.size(), "is", "are"), first_of(missing)));
    }
    if (unexpected.size() == 1) parts.push_back("the model has no tensor " + unexpected.front());
    if (unexpected.size() > 1) {
      parts.push_back(fmt::format("the model does not have {}: {}", count_of(unexpected.size(), "tensor"),
                                  first_of(unexpected)));
    }
    if (!others.empty()) parts.push_back(first_of(others));
    return fmt::format("{}", fmt::join(parts, "; "));
  }
};

// Parts of an encoder that every file of it has.
bool is_body(std::string_view name, std::string_view base) {
  if (name.starts_with(base)) name.remove_prefix(base.size());
  if (name == "embeddings.position_ids") return false;  // in files of old versions of transformers
  return name.starts_with("embeddings.") || name.starts_with("encoder.");
}

// With `base` the body of the encoder with this prefix: see load_encoder_weights(). Returns the tensors that
// stay.
std::vector<std::string> load_from(torch::nn::Module& model, const WeightSource& file,
                                   const std::string& base = "") {
  std::vector<std::string> kept;
  std::vector<std::pair<torch::Tensor, torch::Tensor>> copies;
  std::set<std::string, std::less<>> known;
  Misfits misfits;
  const bool ranges = std::any_of(file.names().begin(), file.names().end(),
                                  [](const std::string& name) { return name.ends_with(kInputRange); });
  for (const train::NamedTensor& entry : train::named_tensors(model)) {
    std::vector<std::string> names = entry.names;
    for (const std::string& own : entry.names) {
      if (!base.empty() && own.starts_with(base)) names.push_back(own.substr(base.size()));
    }
    known.insert(names.begin(), names.end());
    const auto name = std::find_if(names.begin(), names.end(),
                                   [&](const std::string& n) { return file.names().contains(n); });
    if (name == names.end()) {
      if (!base.empty() && !is_body(entry.names.front(), base)) {
        kept.push_back(entry.names.front());
        continue;
      }
      if (may_be_missing(entry.names.front())) continue;
      if (!ranges && entry.names.front().ends_with(kInputRange)) {  // a float network has no ranges
        copies.emplace_back(entry.tensor, torch::zeros_like(entry.tensor));
        continue;
      }
      misfits.missing.push_back(quoted_name(entry.names.front()));
      continue;
    }
    if (file.shape(*name) != entry.tensor.sizes().vec()) {
      misfits.others.push_back(fmt::format("tensor {} has the shape {}; the model needs {}",
                                           quoted_name(*name), shape_text(file.shape(*name)),
                                           shape_text(entry.tensor.sizes().vec())));
      continue;
    }
    const TensorView* view = file.view(*name);
    if (view != nullptr && !has_float32_values(view->dtype) &&
        !(view->dtype == DType::int64 && entry.tensor.scalar_type() == torch::kLong)) {
      misfits.others.push_back(fmt::format("tensor {} is {}, which the model cannot take", quoted_name(*name),
                                           enum_name(view->dtype)));
      continue;
    }
    if (misfits.none()) copies.emplace_back(entry.tensor, file.read(*name));
  }
  for (const std::string& name : file.names()) {
    const bool other_head = !base.empty() && !is_body(name, base);
    if (!known.contains(name) && !other_head) misfits.unexpected.push_back(quoted_name(name));
  }
  if (!misfits.none()) throw Error(ErrorCode::format, fmt::format("{}: {}", file.name(), misfits.text()));
  const torch::NoGradGuard no_gradient;
  for (auto& [to, from] : copies) to.copy_(from);
  return kept;
}

}  // namespace

void load_weights(torch::nn::Module& model, const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  WeightSource source(file);
  const auto* transformer = dynamic_cast<const Transformer*>(&model);
  if (transformer != nullptr && has_fairseq_names(source.names())) {
    source.take_fairseq_names(transformer->options());
  }
  load_from(model, source);
}

void load_weights(torch::nn::Module& model, const quant::CompactModel& compact) {
  load_from(model, WeightSource(compact));
}

std::vector<std::string> load_encoder_weights(torch::nn::Module& model, const std::string& base,
                                              const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  return load_from(model, WeightSource(file), base);
}

void save_weights(const torch::nn::Module& model, const OutputPath& path) {
  std::vector<TensorView> views;
  std::vector<torch::Tensor> kept;  // keeps the data of the views alive
  for (const train::NamedTensor& entry : train::named_tensors(model)) {
    TensorView view;
    view.name = entry.names.front();
    view.shape = entry.tensor.sizes().vec();
    const bool whole = entry.tensor.scalar_type() == torch::kLong;
    view.dtype = whole ? DType::int64 : DType::float32;
    kept.push_back(entry.tensor.detach().to(torch::kCPU, whole ? torch::kLong : torch::kFloat).contiguous());
    view.data = {static_cast<const std::uint8_t*>(kept.back().data_ptr()), kept.back().nbytes()};
    views.push_back(std::move(view));
  }
  write_safetensors(path, views, network_metadata(model));
}

TensorMetadata network_metadata(const torch::nn::Module& model) {
  const auto* transformer = dynamic_cast<const Transformer*>(&model);
  if (transformer == nullptr) return {};
  const TransformerOptions& options = transformer->options();
  return {{std::string(quant::kNetworkKey),
           data::language_config_text(
               {options.heads, options.layers, options.first_position, options.final_norm})}};
}

}  // namespace parsimony::models
