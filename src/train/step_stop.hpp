// Lets a training step be given up halfway.
#pragma once

#include <stop_token>

namespace parsimony::train {

/// While one lives, check_step() throws on its thread once the token is triggered.
class StoppableStep {
 public:
  explicit StoppableStep(std::stop_token token);
  StoppableStep(const StoppableStep&) = delete;
  StoppableStep& operator=(const StoppableStep&) = delete;
  ~StoppableStep();

 private:
  std::stop_token token_;
  const StoppableStep* outer_;
  friend void check_step();
};

/// Throws Error(cancelled) if this thread makes a step that is to be given up. Models call it once per block.
void check_step();

}  // namespace parsimony::train
