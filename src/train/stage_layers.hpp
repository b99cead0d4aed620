// Checks, before the first step of training, that each stage of codes will find a layer.
#pragma once

#include "parsimony/train/task.hpp"
#include "parsimony/train/trainer.hpp"

namespace parsimony::train {

/// Throws invalid_argument if a stage of plan.ipq matches no layer that is still unquantized when its turn
/// comes, or a scheme of plan.ipq matches only layers that plan.pruning leaves out.
void check_stages(Task& task, const TrainingPlan& plan);

}  // namespace parsimony::train
