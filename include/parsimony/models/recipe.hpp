// What is to be trained on what, and how, in a JSON file.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/train/export.hpp"
#include "parsimony/train/trainer.hpp"

namespace parsimony::train {
class Task;
}

namespace parsimony::models {

enum class Purpose {
  training,
  teaching,   ///< only its forward is asked for
  evaluation  ///< its weights come from elsewhere
};

/// The options of a task of one kind, and the task.
class TaskRecipe {
 public:
  virtual ~TaskRecipe() = default;
  virtual std::string_view kind() const = 0;
  virtual std::vector<std::pair<std::string, ReportValue>> options() const = 0;
  /// student: whose data a teacher may share; nullptr: none.
  virtual std::unique_ptr<train::Task> make(Purpose purpose, const train::Task* student,
                                            const Context& context) const = 0;
};

struct Recipe {
  std::filesystem::path file;
  std::shared_ptr<const TaskRecipe> task;
  std::shared_ptr<const TaskRecipe> teacher;  ///< nullptr: none
  train::TrainingPlan plan;                   ///< but for the teacher
  train::ExportOptions exported;              ///< of what has codes
  bool fold_statistics = false;               ///< of batch norms into their weights, before export
  std::filesystem::path output;               ///< folder of what is made
};

/// Reads a file such as
///   {"task": {"kind": "images", "archive": "cifar10.zip", "weights": "resnet20.safetensors"},
///    "training": {"epochs": 3, "learning_rate": 0.05}, "noise": {"function": "integer", "bits": 4}}
/// "training", "noise", "teacher", "ipq" and "export" have the fields of their options, "teacher" also those
/// of the task where it is another: its "weights", its "depth"; "ipq" may have "schemes", an array of objects
/// with the "layers" of each and in which its options differ, and "export" "fold_statistics". "seed" is that
/// of all parts which have none of their own, "output" the folder, that of the name of the file beside it
/// where there is none. Relative paths begin beside the file.
///
/// Throws io, and format, naming the file and the key, for what is no JSON, a key that does not exist, with
/// the nearest that does, and a value of another type or out of range.
Recipe read_recipe(const std::filesystem::path& file);

}  // namespace parsimony::models
