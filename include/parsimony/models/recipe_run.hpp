// A recipe carried out.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "parsimony/core/context.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/models/recipe.hpp"

namespace parsimony::models {

struct RecipeRun {
  std::filesystem::path model;            ///< the file of the weights
  std::map<std::string, double> figures;  ///< of the trained model
  Report report;
};

/// Trains as the recipe says. In the folder, which is made, lies meanwhile train.checkpoint, from which the
/// next call goes on unless it is to restart; at the end model.safetensors, or of one in codes
/// model.compact.safetensors, and report.json. Throws what
/// train::train and the task throw, and io.
RecipeRun train_recipe(const Recipe& recipe, const std::filesystem::path& output, bool restart = false,
                       const Context& context = Context{});

/// The figures of the recipe's task with the weights of a safetensors file, plain or compact. Throws what
/// load_weights and the task throw.
std::map<std::string, double> evaluate_recipe(const Recipe& recipe, const std::filesystem::path& model,
                                              const Context& context = Context{});

}  // namespace parsimony::models
