// Carries out a training recipe.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "parsimony/core/context.hpp"
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

/// Evaluates the task of the recipe with the weights of a safetensors file, plain or compact. Throws the
/// errors of load_weights and the task.
std::map<std::string, double> evaluate_recipe(const Recipe& recipe, const std::filesystem::path& model,
                                              const Context& context = Context{});

}  // namespace parsimony::models
