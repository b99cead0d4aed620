// Restores the training or evaluation mode of every module.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace parsimony::train {

/// Calls body for every module with its dotted name, parents first.
inline void for_modules(torch::nn::Module& module, const std::string& name,
                        const std::function<void(const std::string&, torch::nn::Module&)>& body) {
  body(name, module);
  for (const auto& child : module.named_children()) {
    for_modules(*child.value(), name.empty() ? child.key() : name + "." + child.key(), body);
  }
}

/// Remembers all modes and restores them at the end of the scope. Module::train() also sets the children, so
/// parents are restored first.
class ModuleModes {
 public:
  explicit ModuleModes(torch::nn::Module& model) {
    for_modules(model, "", [&](const std::string&, torch::nn::Module& module) {
      modes_.emplace_back(&module, module.is_training());
    });
  }
  ModuleModes(const ModuleModes&) = delete;
  ModuleModes& operator=(const ModuleModes&) = delete;
  ~ModuleModes() {
    for (const auto& [module, training] : modes_) module->train(training);
  }

 private:
  std::vector<std::pair<torch::nn::Module*, bool>> modes_;
};

}  // namespace parsimony::train
