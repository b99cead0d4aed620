// A plan of training with every phase, for the task of small_task.hpp.
#pragma once

#include "parsimony/train/trainer.hpp"

namespace parsimony::train {

/// Noise with codebooks, then two stages of codes that follow latent weights.
inline TrainingPlan whole_plan() {
  TrainingPlan plan;
  plan.trainer = {.batch_size = 32,
                  .optimization = {.steps = 60, .learning_rate = 0.05, .warmup_steps = 5, .clip_norm = 5},
                  .recalibration_batches = 3,
                  .evaluation_steps = 25,
                  .report_steps = 10,
                  .seed = 5};
  plan.noise = NoiseOptions{
      .function = NoiseFunction::product, .rate = 0.2, .centroids = 16, .refresh_steps = 7, .seed = 5};
  plan.ipq = IpqTrainingOptions{
      .codes =
          {.block_size = 4, .centroids = 24, .permute_channels = true, .latent_weights = true, .seed = 5},
      .schemes = {{"first", {.scheme = quant::Scheme::integer, .bits = 4}}},
      .stages = {"first|second", "hidden"},
      .fit_steps = 6,
      .importance_batches = 2,
      .optimization = {
          .steps = 15, .optimizer = OptimizerKind::adamw, .learning_rate = 3e-3, .weight_decay = 0.01}};
  return plan;
}

}  // namespace parsimony::train
