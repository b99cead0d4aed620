#include "parsimony/train/input_moments.hpp"

#include <ATen/record_function.h>
#include <torch/torch.h>
#include <torch/version.h>

#include <string_view>

#include "train/layers.hpp"

namespace parsimony::train {
namespace {

struct Observed {
  Layer layer;
  torch::Tensor sum;     // Σ x² per channel; for an embedding the number of look-ups of each row
  torch::Tensor values;  // Σ x per channel; not for an embedding
  std::int64_t count = 0;
};

// The callback is a plain function, so that its result must be in a thread-local variable.
thread_local std::vector<Observed>* observed = nullptr;

void add(Observed& to, const torch::Tensor& input, const torch::Tensor& weight) {
  torch::Tensor sum;
  if (to.layer.embedding) {
    sum = torch::bincount(input.flatten(), {}, weight.size(0));
    to.count += input.numel();
  } else {
    const std::int64_t axis = to.layer.convolution ? input.dim() - weight.dim() + 1 : input.dim() - 1;
    const torch::Tensor x =
        input.detach().to(torch::kDouble).transpose(0, axis).reshape({input.size(axis), -1});
    sum = x.square().sum(1);
    const torch::Tensor values = x.sum(1);
    to.values = to.values.defined() ? to.values + values : values;
    to.count += input.numel() / input.size(axis);
  }
  to.sum = to.sum.defined() ? to.sum + sum : sum;
}

#if TORCH_VERSION_MAJOR < 2
// A linear layer calls the operation with the transpose of its weight, not with the weight itself.
void observe_product(const at::RecordFunction& call) {
  const std::string_view name = call.name();
  const std::size_t first = name == "aten::addmm" ? 1 : 0;
  const auto inputs = call.inputs();
  if (name != "aten::addmm" && name != "aten::matmul") return;
  if (inputs.size() < first + 2 || !inputs[first].isTensor() || !inputs[first + 1].isTensor()) return;
  const torch::Tensor input = inputs[first].toTensor(), factor = inputs[first + 1].toTensor();
  if (!input.defined() || !factor.defined() || factor.dim() != 2 || input.numel() == 0) return;
  for (Observed& layer : *observed) {
    const torch::Tensor& weight = *layer.layer.weight;
    if (!layer.layer.embedding && weight.dim() == 2 && factor.is_alias_of(weight) &&
        factor.sizes() == weight.t().sizes() && factor.strides() == weight.t().strides()) {
      add(layer, input, weight);
    }
  }
}
#else
void observe_product(const at::RecordFunction&) {}
#endif

std::unique_ptr<at::ObserverContext> observe(const at::RecordFunction& call) {
  observe_product(call);
  const std::string_view name = call.name();
  const bool embedding = name == "aten::embedding";
  if (!embedding && name != "aten::linear" && !name.starts_with("aten::conv1d") &&
      !name.starts_with("aten::conv2d") && !name.starts_with("aten::conv3d")) {
    return nullptr;
  }
  const auto inputs = call.inputs();
  if (inputs.size() < 2 || !inputs[0].isTensor() || !inputs[1].isTensor()) return nullptr;
  const torch::Tensor weight = inputs[embedding ? 0 : 1].toTensor(),
                      input = inputs[embedding ? 1 : 0].toTensor();
  if (!weight.defined() || !input.defined() || input.numel() == 0) return nullptr;
  for (Observed& layer : *observed) {
    if (layer.layer.embedding == embedding && layer.layer.weight->is_same(weight)) add(layer, input, weight);
  }
  return nullptr;
}

class Observer {
 public:
  explicit Observer(std::vector<Observed>& layers) : before_(observed) {
    observed = &layers;
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback(observe).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  ~Observer() {
    at::removeCallback(handle_);
    observed = before_;
  }

 private:
  std::vector<Observed>* before_;
  at::CallbackHandle handle_;
};

std::vector<float> importance_of(const Observed& layer) {
  torch::Tensor mean = layer.sum.to(torch::kDouble) / static_cast<double>(layer.count);
  const torch::Tensor& weight = *layer.layer.weight;
  std::vector<std::int64_t> column(static_cast<std::size_t>(weight.dim()), 1);
  if (layer.layer.embedding) {
    mean = mean.unsqueeze(1).expand_as(weight);
  } else if (mean.numel() != weight.size(1)) {
    // Outputs group by group, each with the input channels of its group.
    const std::int64_t channels = weight.size(1), groups = mean.numel() / channels;
    mean = mean.view({groups, channels}).repeat_interleave(weight.size(0) / groups, 0);
    column[0] = weight.size(0);
    column[1] = channels;
    mean = mean.view(column).expand_as(weight);
  }
  mean = mean.to(torch::kFloat).contiguous();
  return {mean.data_ptr<float>(), mean.data_ptr<float>() + mean.numel()};
}

}  // namespace

std::map<std::string, InputMoments> input_moments(torch::nn::Module& model,
                                                  const std::function<void()>& pass) {
  std::vector<Observed> layers;
  for (Layer& layer : weight_layers(model)) layers.push_back({std::move(layer), {}, {}});
  {
    const torch::NoGradGuard no_gradient;
    const Observer observer(layers);
    pass();
  }
  std::map<std::string, InputMoments> out;
  for (const Observed& layer : layers) {
    if (layer.count == 0) continue;
    InputMoments& moments = out[layer.layer.name];
    moments.second = importance_of(layer);
    if (!layer.values.defined()) continue;
    const torch::Tensor mean =
        (layer.values / static_cast<double>(layer.count)).to(torch::kFloat).contiguous();
    moments.mean.assign(mean.data_ptr<float>(), mean.data_ptr<float>() + mean.numel());
  }
  return out;
}

std::map<std::string, std::vector<float>> input_second_moments(torch::nn::Module& model,
                                                               const std::function<void()>& pass) {
  std::map<std::string, std::vector<float>> out;
  for (auto& [name, moments] : input_moments(model, pass)) out.emplace(name, std::move(moments.second));
  return out;
}

}  // namespace parsimony::train
