#include "train/joint_training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/train/integer_activation.hpp"
#include "parsimony/train/joint_batch_norm.hpp"
#include "train/module_modes.hpp"

namespace parsimony::train {
namespace {

// In place, in the precision of the tensor: float32 or float64.
void sum_over(const TrainingProcesses& processes, const torch::Tensor& values) {
  const auto count = static_cast<std::size_t>(values.numel());
  if (values.scalar_type() == torch::kDouble) {
    processes.sum(std::span<double>(values.data_ptr<double>(), count));
  } else {
    processes.sum(std::span<float>(values.data_ptr<float>(), count));
  }
}

template <class Norm>
void add_running(std::vector<torch::Tensor>& to, torch::nn::Module& module) {
  auto* norm = module.as<Norm>();
  if (norm == nullptr || !norm->running_mean.defined()) return;
  to.push_back(norm->running_mean);
  to.push_back(norm->running_var);
}

// FNV-1a.
struct Fingerprint {
  std::uint64_t hash = 14695981039346656037ull;

  template <class T>
  void add(std::span<const T> values) {
    for (const std::byte byte : std::as_bytes(values)) {
      hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 1099511628211ull;
    }
  }
  void add(const torch::Tensor& tensor) {
    const torch::Tensor values = tensor.detach().contiguous();
    add(std::span(static_cast<const std::byte*>(values.data_ptr()), values.nbytes()));
  }
};

}  // namespace

JointStatistics::JointStatistics(torch::nn::Module& model, const TrainingProcesses& processes,
                                 bool synchronize_batch_norm)
    : model_(model), processes_(processes), synchronize_batch_norm_(synchronize_batch_norm) {
  if (processes.count() == 1) return;
  for_modules(model, "", [&](const std::string&, torch::nn::Module& module) {
    if (!synchronize_batch_norm) add_running<JointBatchNorm2d>(averaged_, module);
    add_running<torch::nn::BatchNorm1d>(averaged_, module);
    add_running<torch::nn::BatchNorm2d>(averaged_, module);
    add_running<torch::nn::BatchNorm3d>(averaged_, module);
  });
  connect(&processes);
}

JointStatistics::~JointStatistics() {
  if (processes_.count() > 1) connect(nullptr);
}

void JointStatistics::connect(const TrainingProcesses* processes) const {
  for_modules(model_, "", [&](const std::string&, torch::nn::Module& module) {
    if (auto* activation = module.as<IntegerActivation>()) activation->processes = processes;
    auto* norm = module.as<JointBatchNorm2d>();
    if (norm != nullptr && synchronize_batch_norm_) norm->processes = processes;
  });
}

void JointStatistics::average() const {
  if (averaged_.empty()) return;
  const torch::NoGradGuard no_gradient;
  std::vector<torch::Tensor> flat;
  for (const torch::Tensor& values : averaged_) flat.push_back(values.flatten());
  const torch::Tensor all = torch::cat(flat);
  sum_over(processes_, all);
  std::int64_t at = 0;
  for (const torch::Tensor& values : averaged_) {
    values.copy_((all.slice(0, at, at + values.numel()) / processes_.count()).view_as(values));
    at += values.numel();
  }
}

bool average_gradients(const std::vector<torch::Tensor>& leaves, double& loss, bool stop,
                       const TrainingProcesses& processes) {
  const torch::NoGradGuard no_gradient;
  const auto count = static_cast<std::int64_t>(leaves.size());
  const bool doubles = std::any_of(leaves.begin(), leaves.end(), [](const torch::Tensor& leaf) {
    return leaf.scalar_type() == torch::kDouble;
  });
  const torch::Dtype type = doubles ? torch::kDouble : torch::kFloat;
  torch::Tensor present = torch::zeros({count + 2}, type);  // then the loss and the wish to stop
  std::vector<torch::Tensor> flat;
  for (std::int64_t i = 0; i < count; ++i) {
    const torch::Tensor& leaf = leaves[static_cast<std::size_t>(i)];
    const torch::Tensor& gradient = leaf.grad();
    present[i] = gradient.defined() ? 1 : 0;
    flat.push_back(gradient.defined() ? gradient.flatten().to(type) : torch::zeros({leaf.numel()}, type));
  }
  present[count] = loss;
  present[count + 1] = stop ? 1 : 0;
  flat.push_back(present);
  const torch::Tensor all = torch::cat(flat);
  sum_over(processes, all);
  present = all.slice(0, all.numel() - count - 2);
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const torch::Tensor& leaf = leaves[static_cast<std::size_t>(i)];
    const torch::Tensor sum = all.slice(0, at, at + leaf.numel());
    at += leaf.numel();
    if (present[i].item<double>() == 0) continue;
    leaf.mutable_grad() = (sum / processes.count()).view_as(leaf).to(leaf.scalar_type());
  }
  loss = present[count].item<double>() / processes.count();
  return present[count + 1].item<double>() > 0;
}

void seed_step(std::uint64_t seed, std::int64_t step, const TrainingProcesses& processes) {
  const RandomStream random(seed, "training.generator", static_cast<std::uint64_t>(step));
  torch::manual_seed(random.bits(static_cast<std::uint64_t>(processes.rank())));
}

void check_agreement(const torch::nn::Module& model, const Ipq* ipq, std::int64_t step,
                     const TrainingProcesses& processes) {
  Fingerprint weights, codes;
  for (const torch::Tensor& parameter : model.parameters()) weights.add(parameter);
  if (ipq != nullptr) {
    for (const torch::Tensor& centroids : ipq->centroids()) codes.add(centroids);
    for (const auto& [name, tensor] : ipq->tensors()) {
      codes.add(std::span(tensor.packed));
      codes.add(std::span(tensor.scale));
      codes.add(std::span(tensor.zero_point));
    }
  }
  const std::array<std::uint64_t, 2> own{weights.hash, codes.hash};
  const auto all = processes.gather(std::span<const std::array<std::uint64_t, 2>>(&own, 1));
  const auto other =
      std::find_if(all.begin(), all.end(), [&](const auto& hash) { return hash != all.front(); });
  if (other == all.end()) return;
  throw Error(
      ErrorCode::io,
      fmt::format("process {} has other {} than process 0 after step {}: all need the same program, data, "
                  "LibTorch, number of threads and kind of processor",
                  other - all.begin(), other->front() != all.front().front() ? "weights" : "codes", step));
}

}  // namespace parsimony::train
