#include "models/task_kinds.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/torch.h>

#include <array>

#include "models/run_evaluation.hpp"
#include "parsimony/models/image_task.hpp"
#include "parsimony/models/language_task.hpp"
#include "parsimony/models/sentence_task.hpp"
#include "parsimony/models/weights.hpp"

namespace parsimony::models {
namespace {

struct LanguageRecipe {
  LanguageTaskOptions data;
  TransformerOptions model;
  std::filesystem::path weights;
  std::uint64_t seed = 0;
};

// The task determines the vocabulary of the model. One seed serves the weights and layer_drop.
template <OptionsOf<LanguageRecipe> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  describe(options.data, visit);
  describe(options.model, [&](const Field& field, auto& value) {
    if (field.name != "vocabulary" && field.name != "seed") visit(field, value);
  });
  visit(Field{"weights", "safetensors file with the initial weights; empty: random by seed"},
        options.weights);
  visit(Field{"seed", "seed of the weights and of layer_drop"}, options.seed);
}

// One overload per kind of task makes the task from its options.
std::unique_ptr<train::Task> make_task(const ImageTaskOptions& options, Purpose purpose,
                                       const train::Task* student, const Context& context) {
  const auto* same = dynamic_cast<const ImageTask*>(student);
  return std::make_unique<ImageTask>(
      options,
      same != nullptr ? same->data() : read_image_data(options, purpose == Purpose::training, context));
}

std::unique_ptr<train::Task> make_task(const LanguageRecipe& options, Purpose, const train::Task*,
                                       const Context& context) {
  torch::manual_seed(options.seed);
  TransformerOptions model = options.model;
  model.seed = options.seed;
  auto task = std::make_unique<LanguageTask>(options.data, model, context);
  if (!options.weights.empty()) load_weights(task->model(), options.weights);
  return task;
}

std::unique_ptr<train::Task> make_task(const SentenceTaskOptions& options, Purpose purpose,
                                       const train::Task* student, const Context& context) {
  const auto* same = dynamic_cast<const SentenceTask*>(student);
  auto task = std::make_unique<SentenceTask>(
      options,
      same != nullptr ? same->data() : read_sentence_data(options, purpose == Purpose::training, context));
  if (!task->drawn().empty() && purpose != Purpose::evaluation) {
    context.log(LogLevel::info, fmt::format("{}: has no {}; drawn by the seed", options.weights.string(),
                                            fmt::join(task->drawn(), ", ")));
  }
  return task;
}

std::map<std::string, double> figures_by_run(const LanguageRecipe& options, const FileToRun& file,
                                             Report& report, const Context& context) {
  return figures_by_run(options.data, options.model, file, report, context);
}

template <class Options>
class TaskRecipeOf : public TaskRecipe {
 public:
  TaskRecipeOf(std::string_view kind, Options options) : kind_(kind), options_(std::move(options)) {}

  std::string_view kind() const override { return kind_; }
  std::vector<std::pair<std::string, ReportValue>> options() const override {
    std::vector<std::pair<std::string, ReportValue>> out;
    describe(options_, Record{out});
    return out;
  }
  std::unique_ptr<train::Task> make(Purpose purpose, const train::Task* student,
                                    const Context& context) const override {
    Options options = options_;
    if (purpose == Purpose::evaluation) options.weights.clear();
    return make_task(options, purpose, student, context);
  }
  std::map<std::string, double> evaluate_by_run(const FileToRun& file, Report& report,
                                                const Context& context) const override {
    return figures_by_run(options_, file, report, context);
  }
  const Options& read() const { return options_; }

 private:
  std::string_view kind_;
  Options options_;
};

template <class Options>
std::shared_ptr<const TaskRecipe> read(std::string_view kind, RecipeObject& object, std::uint64_t seed,
                                       const TaskRecipe* base) {
  Options options;
  options.seed = seed;
  if (base != nullptr) options = dynamic_cast<const TaskRecipeOf<Options>&>(*base).read();
  describe(options, object);
  return std::make_shared<TaskRecipeOf<Options>>(kind, std::move(options));
}

struct Kind {
  std::string_view name;
  std::shared_ptr<const TaskRecipe> (*read)(std::string_view, RecipeObject&, std::uint64_t,
                                            const TaskRecipe*);
};

// To add a kind of task: a class derived from train::Task, an options struct with `weights`, `seed` and
// describe(), overloads of make_task() above and of figures_by_run(), and an entry here.
constexpr std::array kKinds{Kind{"images", read<ImageTaskOptions>}, Kind{"language", read<LanguageRecipe>},
                            Kind{"sentences", read<SentenceTaskOptions>}};

}  // namespace

std::vector<std::string> task_kinds() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.emplace_back(kind.name);
  return names;
}

std::shared_ptr<const TaskRecipe> read_task(std::size_t kind, RecipeObject& object, std::uint64_t seed,
                                            const TaskRecipe* base) {
  return kKinds.at(kind).read(kKinds.at(kind).name, object, seed, base);
}

}  // namespace parsimony::models
