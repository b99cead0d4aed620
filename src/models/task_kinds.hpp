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

/// The options of the kind of that place: those of `base`, of the same kind, where it is given, with what the
/// object says. It is for the caller to finish the object.
std::shared_ptr<const TaskRecipe> read_task(std::size_t kind, RecipeObject& object, std::uint64_t seed,
                                            const TaskRecipe* base = nullptr);

}  // namespace parsimony::models
