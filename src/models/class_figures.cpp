#include "models/class_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "parsimony/core/error.hpp"

namespace parsimony::models {

void ClassFigures::add(std::span<const float> logits, std::int64_t truth) {
  if (truth < 0 || truth >= std::ssize(logits)) {
    refuse(fmt::format("labels: one is of class {}; the network has 0 to {}", truth, std::ssize(logits) - 1));
  }
  const auto guess = std::max_element(logits.begin(), logits.end()) - logits.begin();
  const double most = logits[guess];
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - most);
  loss_ += most + std::log(sum) - logits[truth];
  right_ += guess == truth ? 1 : 0;
  ++counts_[truth > 0 ? 1 : 0][guess > 0 ? 1 : 0];
  ++examples_;
}

std::map<std::string, double> ClassFigures::figures() const {
  return {{"accuracy", right_ / examples_}, {"loss", loss_ / examples_}};
}

double ClassFigures::matthews() const {
  const auto& n = counts_;
  const double right = n[1][1] * n[0][0] - n[0][1] * n[1][0];
  const double all = (n[1][1] + n[0][1]) * (n[1][1] + n[1][0]) * (n[0][0] + n[0][1]) * (n[0][0] + n[1][0]);
  return all > 0 ? right / std::sqrt(all) : 0;
}

}  // namespace parsimony::models
