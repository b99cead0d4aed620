// Carries out a training recipe.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/models/recipe.hpp"

namespace parsimony::models {

struct RecipeRun {
  std::filesystem::path model;            ///< the file with the trained weights
  std::map<std::string, double> figures;  ///< evaluation of the trained model
  Report report;
};

/// Trains as the recipe says and writes the results to the folder `output`, which is created if needed:
/// model.safetensors, or model.compact.safetensors for a quantized network, and report.json. Until then the
/// folder has train.checkpoint, from which the next call resumes unless restart is set. With
/// recipe.plan.processes, process 0 alone writes, and the others return without the figures of the exported
/// file. Throws io and the errors of train::train and the task.
RecipeRun train_recipe(const Recipe& recipe, const std::filesystem::path& output, bool restart = false,
                       const Context& context = Context{});

enum class EvaluationEngine {
  torch,  ///< LibTorch, with decoded weights
  run  ///< the room run, from the codes: EfficientNets, encoders and language models with float activations
};

constexpr auto names_of(EvaluationEngine) {
  using enum EvaluationEngine;
  return enum_names<EvaluationEngine>({{torch, "torch"}, {run, "run"}});
}

struct EvaluationOptions {
  /// `run` tells the figures of the network as `parsimony run` computes it.
  EvaluationEngine engine = EvaluationEngine::torch;
  run::Precision precision = run::Precision::automatic;  ///< used by engine run; LibTorch is exact
};

template <OptionsOf<EvaluationOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(
      Field{"engine", "torch: LibTorch with decoded weights; run: from the codes, as parsimony run computes"},
      options.engine);
  visit(Field{"precision", "with engine run, products with weights in codes; exact is float32"},
        options.precision);
}

struct Evaluation {
  std::map<std::string, double> figures;
  Report report;  ///< stages "read", "load" and "evaluation"; the figures; the precision that was chosen
};

/// Evaluates the task of the recipe with the weights of a safetensors file, plain or compact. Both engines
/// give the same figures, but for the rounding of float32 and the error of the precision.
///
/// Throws the errors of load_weights and the task, and with engine run those of run::load_encoder,
/// load_language_model and load_image_network; invalid_argument for a precision other than auto and exact
/// with engine torch; with engine run format for a file with another network than that of the recipe, and
/// unsupported for a ResNet and for integer activations.
Evaluation evaluate_recipe(const Recipe& recipe, const std::filesystem::path& model,
                           const EvaluationOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::models
