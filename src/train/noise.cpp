#include "parsimony/train/noise.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <regex>
#include <vector>

#include "core/count_of.hpp"
#include "core/name_pattern.hpp"
#include "parsimony/core/error.hpp"
#include "train/block_shape.hpp"
#include "train/layers.hpp"
#include "train/straight_through.hpp"
#include "train/weight_swap.hpp"

namespace parsimony::train {
namespace {

bool has_codebook(const NoiseOptions& options) {
  return options.function == NoiseFunction::product || options.function == NoiseFunction::product_integer;
}

std::span<float> values_of(const torch::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

void check_finite(std::span<const float> values, const std::string& layer) {
  const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  if (bad != values.end()) {
    refuse(fmt::format("the weight of layer \"{}\" has the value {} at {}; noise needs finite weights", layer,
                       *bad, bad - values.begin()));
  }
}

}  // namespace

struct NoisyWeights::State {
  WeightSwap swap;
  double rate = 0;
  std::int64_t weights = 0;
  quant::DrawnBlocks blocks;
};

NoisyWeights::NoisyWeights(std::unique_ptr<State> state) : state_(std::move(state)) {}
NoisyWeights::NoisyWeights(NoisyWeights&&) noexcept = default;
NoisyWeights::~NoisyWeights() = default;
double NoisyWeights::rate() const {
  return state_->rate;
}
std::int64_t NoisyWeights::weights() const {
  return state_->weights;
}
std::int64_t NoisyWeights::blocks() const {
  return state_->blocks.all;
}
std::int64_t NoisyWeights::drawn_blocks() const {
  return state_->blocks.drawn;
}

Noise::Noise(NoiseOptions options, Context context)
    : options_(std::move(options)), context_(std::move(context)) {
  validate_fields(options_);
  name_pattern("layers", options_.layers);  // refuses a broken expression before the first step
}

// The layers of a model are nearly always those of the step before. Names are compared rather than layers
// kept, as a module may be replaced between two steps.
void Noise::match(const std::vector<std::string>& layers) {
  const auto same = [](const std::pair<std::string, bool>& known, const std::string& name) {
    return known.first == name;
  };
  if (!layers.empty() && std::equal(matched_.begin(), matched_.end(), layers.begin(), layers.end(), same))
    return;
  const std::regex pattern = name_pattern("layers", options_.layers);
  matched_.clear();
  for (const std::string& name : layers) matched_.emplace_back(name, std::regex_match(name, pattern));
  const auto chosen = [](const std::pair<std::string, bool>& layer) { return layer.second; };
  if (std::any_of(matched_.begin(), matched_.end(), chosen)) return;
  matched_.clear();
  refuse(fmt::format("layers: \"{}\" matches none of the {} with weights of the model{}", options_.layers,
                     count_of(layers.size(), "layer"),
                     layers.empty() ? "" : fmt::format("; one of them is \"{}\"", layers.front())));
}

void Noise::refresh() {
  refresh_ = true;
}

double Noise::rate(std::int64_t step) const {
  return quant::noise_rate(options_, step);
}

NoisyWeights Noise::apply(torch::nn::Module& model) {
  const std::vector<Layer> layers = weight_layers(model);
  std::vector<std::string> names;
  for (const Layer& layer : layers) names.push_back(layer.name);
  match(names);
  auto state = std::make_unique<NoisyWeights::State>();
  state->rate = rate(step_);
  const bool learn =
      refresh_ || (options_.refresh_steps > 0 && step_ > 0 && step_ % options_.refresh_steps == 0);
  std::uint64_t index = 0;
  for (const Layer& layer : layers) {
    ++index;  // counts all layers, so that a draw does not depend on the pattern
    if (!matched_[index - 1].second || !layer.training) continue;
    if (const torch::Tensor* shared = state->swap.find(*layer.weight)) {
      state->swap.add(layer, *shared);
      continue;
    }

    const torch::Tensor& weight = *layer.weight;
    const torch::Tensor read = weight.detach().to(torch::kCPU, torch::kFloat).contiguous();
    const std::span<const float> values = values_of(read);
    check_finite(values, layer.name);
    const quant::BlockGrid grid = layer_grid(layer, options_.block_size, options_.layout);
    MatrixView<const float> codebook;
    if (has_codebook(options_)) {
      Matrix<float>& kept = codebooks_[layer.name];
      if (learn || kept.cols() != grid.block_size) {
        kept = quant::learn_noise_codebook(values, grid, options_, layer.padding_row, kept, context_);
      }
      codebook = kept;
    }
    torch::Tensor noised = torch::empty_like(read);
    torch::Tensor drawn;
    std::span<std::uint8_t> drawn_values;
    // In another precision the blocks that are not drawn must still be the weight, bit by bit.
    if (weight.scalar_type() != torch::kFloat) {
      drawn = torch::empty(read.sizes(), torch::kByte);
      drawn_values = {drawn.data_ptr<std::uint8_t>(), values.size()};
    }
    const quant::Draw draw{state->rate, static_cast<std::uint64_t>(step_), index, layer.padding_row};
    const quant::DrawnBlocks blocks = quant::noise_weight(values, grid, options_, draw, codebook,
                                                          values_of(noised), drawn_values, context_);
    if (drawn.defined()) {
      noised =
          torch::where(drawn.to(weight.device(), torch::kBool), noised.to(weight.options()), weight.detach());
    } else {
      noised = noised.to(weight.device());
    }
    state->weights += 1;
    state->blocks.all += blocks.all;
    state->blocks.drawn += blocks.drawn;
    state->swap.add(layer, StraightThrough::apply(weight, &noised));
  }
  state->swap.begin();
  ++step_;
  refresh_ = false;
  return NoisyWeights(std::move(state));
}

}  // namespace parsimony::train
