// Figures of a classification, computed alike for every engine.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace parsimony::models {

class ClassFigures {
 public:
  /// An example with its logits, the highest of which is the guess. Throws invalid_argument for a class that
  /// the network does not have.
  void add(std::span<const float> logits, std::int64_t truth);

  /// "accuracy" and "loss", the mean cross-entropy.
  std::map<std::string, double> figures() const;
  /// The correlation of truth and guess for two classes.
  double matthews() const;

 private:
  double examples_ = 0, right_ = 0, loss_ = 0;
  double counts_[2][2] = {};  // [truth][guess], 1: another class than the first
};

}  // namespace parsimony::models
