// Training recipes: JSON files that describe a network, its data and its training.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/run/network.hpp"
#include "parsimony/train/export.hpp"
#include "parsimony/train/pruning.hpp"
#include "parsimony/train/trainer.hpp"

namespace parsimony::train {
class Task;
}

namespace parsimony::models {

enum class Purpose {
  training,
  teaching,   ///< only forward passes
  evaluation  ///< weights are loaded afterwards
};

/// A file whose network the room run computes.
struct FileToRun {
  std::filesystem::path model;
  run::LoadOptions load;
  std::optional<train::PruningOptions> pruning;  ///< by which the network of the task lost blocks
};

/// The options of one kind of task. Makes the task.
class TaskRecipe {
 public:
  virtual ~TaskRecipe() = default;
  virtual std::string_view kind() const = 0;
  virtual std::vector<std::pair<std::string, ReportValue>> options() const = 0;
  /// student: a task whose data a teacher may share; nullptr: none.
  virtual std::unique_ptr<train::Task> make(Purpose purpose, const train::Task* student,
                                            const Context& context) const = 0;
  /// Evaluates the network of a file by the room run, on the data of the task: the figures of
  /// train::Task::evaluate(). Adds the stages "read", "load" and "evaluation" to the report. Throws format
  /// for another network than that of the task; unsupported for one that the room does not have.
  virtual std::map<std::string, double> evaluate_by_run(const FileToRun& file, Report& report,
                                                        const Context& context) const = 0;
};

struct Recipe {
  std::filesystem::path file;
  std::shared_ptr<const TaskRecipe> task;
  std::shared_ptr<const TaskRecipe> teacher;  ///< nullptr: none
  train::TrainingPlan plan;                   ///< without the teacher
  train::ExportOptions exported;              ///< used with plan.ipq
  bool fold_statistics = false;               ///< train::fold_statistics() before export
  std::filesystem::path output;               ///< folder for the results
};

/// Reads a file such as
///   {"task": {"kind": "images", "archive": "cifar10.zip", "weights": "resnet20.safetensors"},
///    "training": {"epochs": 3, "learning_rate": 0.05}, "noise": {"function": "integer", "bits": 4}}
/// The objects "training", "noise", "pruning", "teacher", "ipq" and "export" have the fields of their
/// options. "teacher" also has the fields of the task that differ for it, such as its "weights" or "depth".
/// "ipq" may have "schemes", an array of objects with "layers" and the options that differ for these layers.
/// "export" may have "fold_statistics". "seed" is the default for every part; "output" is the folder of the
/// results, by default a folder beside the file with its name. Relative paths are relative to the folder of
/// the file. Keys of earlier versions ("kmeans_iterations" for "max_iterations") are read, too.
///
/// Throws io, and format for a file that is not JSON, an unknown key (the nearest one is suggested) and a
/// value of the wrong type or out of range. The message names the file and the key.
Recipe read_recipe(const std::filesystem::path& file);

}  // namespace parsimony::models
