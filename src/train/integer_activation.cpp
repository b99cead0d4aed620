#include "parsimony/train/integer_activation.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "parsimony/core/error.hpp"
#include "train/module_modes.hpp"

namespace parsimony::train {
namespace {

constexpr double kMomentum = 0.1;

}  // namespace

IntegerActivationImpl::IntegerActivationImpl(int bits)
    : range(register_buffer("range", torch::zeros(2))), bits_(bits) {
  if (bits < 2 || bits > 8) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("activation_bits: {} is out of range; must be from 2 to 8", bits));
  }
}

torch::Tensor IntegerActivationImpl::forward(const torch::Tensor& x) {
  if (is_training()) {
    const torch::NoGradGuard no_gradient;
    const auto [least, greatest] = torch::aminmax(x.detach().to(torch::kFloat));
    const torch::Tensor seen = torch::stack({least.clamp_max(0), greatest.clamp_min(0)}).to(range.device());
    const bool first = range.eq(0).all().item<bool>();
    range.add_(seen - range, first ? 1.0 : kMomentum);
  }
  const auto low = range[0].item<float>(), high = range[1].item<float>();
  const std::int64_t levels = (std::int64_t{1} << bits_) - 1;
  const double scale = (static_cast<double>(high) - low) / static_cast<double>(levels);
  if (!(scale > 0)) return x;
  const std::int64_t zero = std::clamp<std::int64_t>(-std::llround(low / scale), 0, levels);
  return torch::fake_quantize_per_tensor_affine(x.to(torch::kFloat), scale, zero, 0, levels);
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
  for (IntegerActivationImpl* activation : found) {
    activation->train();
    activation->range.zero_();
  }
  pass();
  return std::ssize(found);
}

}  // namespace parsimony::train
