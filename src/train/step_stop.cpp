#include "train/step_stop.hpp"

#include <utility>

#include "parsimony/core/error.hpp"

namespace parsimony::train {
namespace {

thread_local const StoppableStep* present_step = nullptr;

}  // namespace

StoppableStep::StoppableStep(std::stop_token token)
    : token_(std::move(token)), outer_(std::exchange(present_step, this)) {}

StoppableStep::~StoppableStep() {
  present_step = outer_;
}

void check_step() {
  if (present_step != nullptr && present_step->token_.stop_requested())
    throw Error(ErrorCode::cancelled, "cancelled");
}

}  // namespace parsimony::train
