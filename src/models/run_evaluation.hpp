// Tasks evaluated with the network that the room run computes from the codes of a file. The figures are those
// of train::Task::evaluate().
#pragma once

#include <map>
#include <string>

#include "parsimony/core/context.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/models/image_task.hpp"
#include "parsimony/models/language_task.hpp"
#include "parsimony/models/recipe.hpp"
#include "parsimony/models/sentence_task.hpp"

namespace parsimony::models {

/// See TaskRecipe::evaluate_by_run().
std::map<std::string, double> figures_by_run(const ImageTaskOptions& options, const FileToRun& file,
                                             Report& report, const Context& context);
std::map<std::string, double> figures_by_run(const SentenceTaskOptions& options, const FileToRun& file,
                                             Report& report, const Context& context);
std::map<std::string, double> figures_by_run(const LanguageTaskOptions& data, const TransformerOptions& model,
                                             const FileToRun& file, Report& report, const Context& context);

}  // namespace parsimony::models
