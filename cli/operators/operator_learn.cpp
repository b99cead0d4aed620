// parsimony operator learn: an analysis operator from signals or images, or a flow from images.
#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "operators/operator_learn_flow.hpp"
#include "operators/show_learned.hpp"
#include "operators/training_data.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/operators/atlas.hpp"
#include "parsimony/operators/geometric_learning.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "parsimony/operators/untf_learning.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  parsimony operator learn signals.npy --rows 24 --output operator.npy
  parsimony operator learn signals.npy --rows 24 --method untf --noise-aware --output operator.npy
  parsimony operator learn images/*.png --rows 128 --patch 8 --output operator.npy --picture atlas.png
  parsimony operator learn images/*.png --rows 128 --samples 1M --output operator.npy
  parsimony operator learn images/*.png --unrolled --sigma 20 --output flow.npz
  parsimony operator learn images/*.png --unrolled --one-energy --filters 128 --output operator.npy

The output is a .npy array of float64, an atom a row. Of images, the atoms have no mean (--zero-mean), and
the defaults of geometric are --nu 5000, --kappa 60, --mu 2 in one stage, and --batch-size 2048 unless a flag
of L-BFGS is given (--max-iterations, --memory, --tolerance).

With --unrolled it is a .npz archive for operator denoise --flow, and all files are clean images, .npy
arrays too; with --one-energy it is an operator for operator denoise --method analysis, trained for what it
denoises to. What is reached lies in OUTPUT.checkpoint; the same command goes on from there.)";

struct Settings {
  TrainingData data;
  std::string method = "geometric";
  operators::GeometricLearningOptions geometric;
  operators::UntfLearningOptions untf;
  bool unrolled = false;
  images::FlowTrainingOptions flow;
  std::string output;
  std::string picture;
  std::int64_t max_memory = 0;
  int threads = 0;
  bool json = false;
  bool quiet = false;
};

// What suits patches, where no flag says otherwise.
void suit_images(const CLI::App& app, Settings& settings) {
  settings.untf.zero_mean = settings.geometric.zero_mean = true;
  const auto suit = [&](const char* flag, auto& field, auto value) {
    if (app.count(flag) == 0) field = value;
  };
  suit("--nu", settings.geometric.nu, 5000);
  suit("--kappa", settings.geometric.kappa, 60);
  suit("--mu", settings.geometric.mu, 2);
  suit("--stages", settings.geometric.stages, 1);
  const bool as_a_whole =
      app.count("--max-iterations") + app.count("--memory") + app.count("--tolerance") > 0;
  if (!as_a_whole) suit("--batch-size", settings.geometric.batch_size, 2048);
}

void check(const CLI::App& app, const Settings& settings) {
  const auto inputs = check_data(app, settings.data);
  check_writable("--output", settings.output);
  for (const auto& input : inputs) check_writable("--output", settings.output, {input});
  if (std::filesystem::path(settings.output).extension() != ".npy") {
    refuse("--output: the operator is an array; its name must end in .npy");
  }
  if (!settings.picture.empty()) {
    check_writable("--picture", settings.picture, {settings.output});
    for (const auto& input : inputs) check_writable("--picture", settings.picture, {input});
    if (std::filesystem::path(settings.picture).extension() != ".png") {
      refuse("--picture: the picture is a PNG; its name must end in .png");
    }
  }
  if (app.count("--lambda") > 0 && !settings.untf.noise_aware) {
    refuse("--lambda: is the weight of --noise-aware, which was not given");
  }
}

// What the learners refuse too, here as the flags and files it comes from.
void check_shape(const Settings& settings, const Matrix<float>& signals) {
  const bool zero_mean = settings.untf.zero_mean;
  const std::int64_t rows = settings.untf.rows, least = signals.cols() - (zero_mean ? 1 : 0);
  if (rows < least) {
    refuse(fmt::format("--rows: {} atoms for signals of {} values{}; must be at least {}", rows,
                       signals.cols(), zero_mean ? " without their mean" : "", least));
  }
  if (rows > signals.rows()) {
    refuse(fmt::format("--rows: {} atoms from {} signals; must be at most as many", rows, signals.rows()));
  }
  const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(signals.cols()))));
  if (!settings.picture.empty() && side * side != signals.cols()) {
    refuse(fmt::format("--picture: atoms of {} values are no square patches", signals.cols()));
  }
  for (std::int64_t s = 0; s < signals.rows(); ++s) {
    for (const float value : signals.row(s)) {
      if (value != signals(s, 0)) return;
    }
  }
  throw Error(ErrorCode::format, fmt::format("{}: each signal is constant; there is nothing to learn from",
                                             settings.data.paths.front()));
}

Learned learn(const Settings& settings, const Matrix<float>& signals, const Context& context) {
  if (settings.method == "untf") {
    operators::LearnedOperator found = operators::untf_learning(signals, settings.untf, context);
    return {settings.method, std::move(found.omega), found.objective, std::move(found.report)};
  }
  operators::GeometricLearning found = operators::learn_geometric(signals, settings.geometric, context);
  return {settings.method, std::move(found.analysis), found.objective, std::move(found.report)};
}

int run(const Settings& settings, Terminal& terminal) {
  const Context context = terminal.context(settings.threads);

  Report command;
  StageTimer reading(command, "read");
  const Matrix<float> signals =
      read_training_data(settings.data, settings.max_memory, settings.untf.seed, context);
  reading.finish();
  check_shape(settings, signals);
  Learned learned = learn(settings, signals, context);
  add_before(learned.report, command);
  const FrameFigures figures = frame_figures(learned.omega, settings.untf.zero_mean);
  const Image picture = settings.picture.empty() ? Image{} : operators::atlas(learned.omega);
  context.check_cancelled();  // from here on files appear: all of them or none
  operators::write_operator(settings.output, learned.omega);
  if (!settings.picture.empty()) write_image(settings.picture, picture);
  print(settings.json ? learned_json(learned, figures, signals, settings.data, settings.output)
                      : learned_text(learned, figures, signals));
  if (learned.report.status == Status::converged) return kDone;
  terminal.warning("not converged: an iteration limit was met; the operator is what was reached by then");
  return kNotConverged;
}

}  // namespace

Action add_operator_learn(CLI::App& app) {
  const auto settings = std::make_shared<Settings>();
  app.footer(kExamples);
  add_data_flags(app, settings->data);
  app.add_option(
         "--method", settings->method,
         "geometric: unit rows, concave penalty; untf: unit-norm tight frames, l1 norm (default geometric)")
      ->check(CLI::IsMember({"geometric", "untf"}).description(""))
      ->type_name("NAME")
      ->group("Method");
  Flags flags(app, "Method");
  flags.require("rows").word("lambda", "auto", 0);
  const auto add = [&](const Field& field, auto& value) {
    if (field.name != "rows" && field.name != "atoms") flags(field, value);
  };
  for (const char* method : {"geometric", "untf"}) {
    flags.method(method);
    const bool geometric = std::string_view(method) == "geometric";
    const Field rows{"rows", "atoms to learn, at least as many as a signal has values", 1, 1 << 20};
    if (geometric) {
      flags(rows, settings->geometric.atoms);
      describe(settings->geometric, add);
    } else {
      flags(rows, settings->untf.rows);
      describe(settings->untf, add);
    }
  }
  flags.name_methods();
  app.get_option("--rows")->required(false);  // of operators, as check_kind() says: flows have --filters
  add_flow_flags(app, settings->unrolled, settings->flow);
  app.add_option("-o,--output", settings->output, "file of the operator, .npy, or of the flow, .npz")
      ->required()
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--picture", settings->picture, "PNG of the atoms as filters, smooth ones first")
      ->type_name("FILE")
      ->group("Output");
  app.add_flag("--json", settings->json, "print the report of the run as JSON")->group("Output");
  Flags(app, "Run")
      .word("max_memory", "unlimited", 0)(Field{"max_memory", "bytes a file may have; 0: no limit", 0, 9e18},
                                          settings->max_memory);
  add_run_flags(app, settings->threads, settings->quiet);
  return [settings, flags, &app](Terminal& terminal) {
    if (settings->quiet) terminal.be_quiet();
    check_kind(app, settings->unrolled);
    if (settings->unrolled) {
      settings->flow.seed = settings->untf.seed;
      return learn_flow(app,
                        {settings->data.paths, settings->flow, settings->output, settings->picture,
                         settings->max_memory, settings->threads, settings->json},
                        terminal);
    }
    flags.check_method(settings->method);
    if (are_images(settings->data)) suit_images(app, *settings);
    check(app, *settings);
    return run(*settings, terminal);
  };
}

}  // namespace parsimony::cli
