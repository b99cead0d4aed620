#include "parsimony/train/integer_activation.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "parsimony/core/error.hpp"
#include "train/module_modes.hpp"

namespace parsimony::train {
namespace {

constexpr double kMomentum = 0.1;

// From the least value of all processes to the greatest.
torch::Tensor widest(const torch::Tensor& seen, const TrainingProcesses& processes) {
  std::array<float, 2> ends{-seen[0].item<float>(), seen[1].item<float>()};
  processes.maximum(ends);
  return torch::tensor({-ends[0], ends[1]}).to(seen.device());
}

}  // namespace

IntegerActivationImpl::IntegerActivationImpl(int bits)
    : range(register_buffer("range", torch::zeros(2))), bits_(bits) {
  if (bits < 2 || bits > 8) {
    refuse(fmt::format("activation_bits: {} is out of range; must be from 2 to 8", bits));
  }
}

bool IntegerActivationImpl::calibrated() const {
  return range.ne(0).any().item<bool>();
}

torch::Tensor IntegerActivationImpl::forward(const torch::Tensor& x) {
  if (is_training()) {
    const torch::NoGradGuard no_gradient;
    const auto [least, greatest] = torch::aminmax(x.detach().to(torch::kFloat));
    torch::Tensor seen = torch::stack({least.clamp_max(0), greatest.clamp_min(0)}).to(range.device());
    if (processes != nullptr && processes->count() > 1) seen = widest(seen, *processes);
    range.add_(seen - range, calibrated() ? kMomentum : 1.0);
  }
  const auto low = range[0].item<float>(), high = range[1].item<float>();
  const std::int64_t levels = (std::int64_t{1} << bits_) - 1;
  const double scale = (static_cast<double>(high) - low) / static_cast<double>(levels);
  if (!(scale > 0 && std::isfinite(scale))) return x;
  const std::int64_t zero = std::clamp<std::int64_t>(-std::llround(low / scale), 0, levels);
  const torch::Tensor y = torch::fake_quantize_per_tensor_affine(x.to(torch::kFloat), scale, zero, 0, levels);
  return x.scalar_type() == torch::kDouble ? y.to(torch::kDouble) : y;
}

std::int64_t calibrate_activations(torch::nn::Module& model, const std::function<void()>& pass) {
  std::vector<IntegerActivationImpl*> found;
  for_modules(model, "", [&](const std::string&, torch::nn::Module& module) {
    if (auto* activation = module.as<IntegerActivationImpl>()) found.push_back(activation);
  });
  if (found.empty()) return 0;
  const ModuleModes modes(model);
  model.eval();
  const torch::NoGradGuard no_gradient;
  std::vector<torch::Tensor> before;
  for (IntegerActivationImpl* activation : found) {
    activation->train();
    before.push_back(activation->range.clone());
    activation->range.zero_();
  }
  const auto restore = [&](bool all) {
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (all || !found[i]->calibrated()) found[i]->range.copy_(before[i]);
    }
  };
  try {
    pass();
  } catch (...) {
    restore(true);
    throw;
  }
  restore(false);
  return std::ssize(found);
}

std::string uncalibrated_activation(torch::nn::Module& model) {
  std::string out;
  for_modules(model, "", [&](const std::string& name, torch::nn::Module& module) {
    const auto* activation = module.as<IntegerActivationImpl>();
    if (activation != nullptr && !activation->calibrated() && out.empty()) out = name;
  });
  return out;
}

}  // namespace parsimony::train
