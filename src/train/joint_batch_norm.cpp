#include "parsimony/train/joint_batch_norm.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <vector>

namespace parsimony::train {
namespace {

struct Statistics {
  torch::Tensor mean, variance;  // in all processes together; the variance of the population
  double count = 0;              // values in a channel
};

// One exchange of counts, means and sums of squared deviations, which are added in the order of the processes
// [chan1983algorithms].
Statistics joint_statistics(const torch::Tensor& x, const TrainingProcesses& processes) {
  const std::int64_t channels = x.size(1);
  const torch::Tensor own_mean = x.mean({0, 2, 3});
  const torch::Tensor deviations = x - own_mean.view({1, -1, 1, 1});
  const torch::Tensor own =
      torch::cat({torch::full({1}, static_cast<double>(x.numel() / channels), torch::kDouble),
                  own_mean.to(torch::kDouble), deviations.square().sum({0, 2, 3}).to(torch::kDouble)});
  const std::span<const double> sent(own.data_ptr<double>(), static_cast<std::size_t>(own.numel()));
  std::vector<double> received = processes.gather(sent);
  const torch::Tensor all =
      torch::from_blob(received.data(), {processes.count(), own.numel()}, torch::kDouble);
  const torch::Tensor counts = all.slice(1, 0, 1), means = all.slice(1, 1, channels + 1);
  Statistics out;
  out.count = counts.sum().item<double>();
  const torch::Tensor mean = (counts * means).sum(0) / out.count;
  const torch::Tensor squares = all.slice(1, channels + 1).sum(0) + (counts * (means - mean).square()).sum(0);
  out.mean = mean.to(x.options());
  out.variance = (squares / out.count).to(x.options());
  return out;
}

struct Normalize : torch::autograd::Function<Normalize> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& weight, const torch::Tensor& bias,
                               const Statistics* statistics, double epsilon,
                               const TrainingProcesses* processes) {
    context->save_for_backward({x, weight, statistics->mean, (statistics->variance + epsilon).rsqrt()});
    context->saved_data["count"] = statistics->count;
    context->saved_data["processes"] = reinterpret_cast<std::int64_t>(processes);
    return torch::batch_norm(x, weight, bias, statistics->mean, statistics->variance, false, 0, epsilon,
                             false);
  }

  // With ŷ = (x − m) / s and g the gradient of the output: (γ / s) (g − mean(g) − ŷ mean(g ŷ)), where the
  // means go over all processes.
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list outputs) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor& x = saved[0];
    const torch::Tensor& weight = saved[1];
    const torch::Tensor& inverse = saved[3];
    const auto column = [](const torch::Tensor& values) { return values.view({1, -1, 1, 1}); };
    const torch::Tensor gradient = outputs[0];
    const torch::Tensor normalized = (x - column(saved[2])) * column(inverse);
    const torch::Tensor to_bias = gradient.sum({0, 2, 3}), to_weight = (gradient * normalized).sum({0, 2, 3});
    const torch::Tensor sums = torch::cat({to_bias, to_weight}).to(torch::kDouble);
    const auto* processes =
        reinterpret_cast<const TrainingProcesses*>(context->saved_data["processes"].toInt());
    processes->sum(std::span<double>(sums.data_ptr<double>(), static_cast<std::size_t>(sums.numel())));
    const torch::Tensor means = (sums / context->saved_data["count"].toDouble()).to(x.scalar_type());
    const std::int64_t channels = to_bias.numel();
    const torch::Tensor to_x = column(weight * inverse) * (gradient - column(means.slice(0, 0, channels)) -
                                                           normalized * column(means.slice(0, channels)));
    return {to_x, to_weight, to_bias, {}, {}, {}};
  }
};

}  // namespace

JointBatchNorm2dImpl::JointBatchNorm2dImpl(const torch::nn::BatchNormOptions& batch_norm_options)
    : options(batch_norm_options) {
  const std::int64_t channels = options.num_features();
  weight = register_parameter("weight", torch::ones({channels}));
  bias = register_parameter("bias", torch::zeros({channels}));
  running_mean = register_buffer("running_mean", torch::zeros({channels}));
  running_var = register_buffer("running_var", torch::ones({channels}));
  num_batches_tracked = register_buffer("num_batches_tracked", torch::tensor(0, torch::kLong));
}

torch::Tensor JointBatchNorm2dImpl::forward(const torch::Tensor& images) {
  double share = 0;  // share of this batch in the running statistics
  if (is_training()) {
    num_batches_tracked += 1;
    share = options.momentum() ? *options.momentum() : 1 / num_batches_tracked.item<double>();
  }
  if (!is_training() || processes == nullptr || processes->count() == 1) {
    return torch::batch_norm(images, weight, bias, running_mean, running_var, is_training(), share,
                             options.eps(), at::globalContext().userEnabledCuDNN());
  }
  const torch::Tensor x = images.to(weight.scalar_type());  // images may be in bfloat16
  Statistics statistics;
  {
    const torch::NoGradGuard no_gradient;
    statistics = joint_statistics(x, *processes);
    running_mean.mul_(1 - share).add_(statistics.mean, share);
    const double unbiased = statistics.count / std::max(statistics.count - 1, 1.0);
    running_var.mul_(1 - share).add_(statistics.variance, share * unbiased);
  }
  return Normalize::apply(x, weight, bias, &statistics, options.eps(), processes).to(images.scalar_type());
}

}  // namespace parsimony::train
