// The kinds of tasks that a recipe may name.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/recipe_object.hpp"
#include "parsimony/models/recipe.hpp"

namespace parsimony::models {

std::vector<std::string> task_kinds();

/// Reads the options of kind number `kind` from an object. They start from those of `base`, of the same kind,
/// if it is given. The caller must call object.finish().
std::shared_ptr<const TaskRecipe> read_task(std::size_t kind, RecipeObject& object, std::uint64_t seed,
                                            const TaskRecipe* base = nullptr);

}  // namespace parsimony::models
