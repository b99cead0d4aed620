// parsimony operator learn: an analysis operator from signals or images, or a flow from images.
#include <fmt/format.h>

#include <memory>

#include "core/count_of.hpp"
#include "operators/operator_learn_flow.hpp"
#include "operators/show_learned.hpp"
#include "operators/training_data.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/operators/learn.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_page.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kLearnExamples = R"(Examples:
  parsimony operator learn signals.npy --rows 24 --output operator.npy
  parsimony operator learn signals.npy --rows 24 --method untf --noise-aware --output operator.npy
  parsimony operator learn images/*.png --rows 128 --patch 8 --output operator.npy --picture atlas.png
  parsimony operator learn images/*.png --rows 128 --samples 1M --output operator.npy
  parsimony operator learn images/*.png --unrolled --sigma 20 --output flow.npz
  parsimony operator learn images/*.png --unrolled --one-energy --filters 128 --output operator.npy

The output is a .npy array of float64 with the rows of the operator. Rows learned from images have no mean.
Images are learned from in batches unless a flag of L-BFGS is given (--max-iterations, --memory, --tolerance).

With --unrolled the output is a .npz archive for operator denoise --flow, and all files are clean images, .npy
arrays too. With --one-energy it is an operator for operator denoise --method analysis, trained for the quality
of denoising. Progress is kept in OUTPUT.checkpoint; the same command continues from it.)";

void check_files(const LearnSettings& settings) {
  const auto inputs = check_data(settings.paths, settings.options.data);
  check_outputs(settings, ".npy", inputs);
}

// Refuses before the learning what atlas would refuse after it. Patches of images are square.
void check_picture(const LearnSettings& settings, const Matrix<float>& signals) {
  if (settings.picture.empty() || is_square(signals.cols())) return;
  refuse(fmt::format("--picture: rows of {} are not square patches", count_of(signals.cols(), "value")));
}
void check_picture(const LearnSettings&, const std::vector<Image>&) {}

int run_learn(const LearnSettings& settings, Terminal& terminal) {
  const Context context = start(terminal, settings.run);
  Report command;
  StageTimer reading(command, "read");
  operators::LearnedOperator learned =
      with_data(settings.paths, settings.options.data, context, [&](const auto& data) {
        reading.finish();
        check_picture(settings, data);
        return operators::learn_operator(data, settings.options, context);
      });
  add_before(learned.report, command);
  const Image picture = drawn_rows(settings, learned.analysis_operator);
  context.check_cancelled();  // files appear from here on: all of them or none
  OutputSet outputs;
  operators::write_operator(outputs.file(settings.output), learned.analysis_operator);
  if (!settings.picture.empty()) write_image(outputs.file(settings.picture), picture);
  learned.report.memory = memory_of(context);
  const std::string json = learned_json(learned, settings);
  write_page(settings.run.page, json, on_page(picture), terminal, context, outputs);
  print(settings.run.json ? json : learned_text(learned, settings));
  outputs.commit();
  if (learned.report.status == Status::converged) return kDone;
  terminal.warning("not converged: an iteration limit was met; the operator written is the last one reached");
  return kNotConverged;
}

}  // namespace

Action add_operator_learn(CLI::App& app) {
  const auto settings = std::make_shared<LearnSettings>();
  app.footer(kLearnExamples);
  operators::LearnOptions& options = settings->options;
  add_data_flags(app, settings->paths, options.data);
  describe(options, Flags(app, "Method"));
  Flags flags(app, "Method");
  const auto add = [&](const Field& field, auto& value) {
    // rows, zero_mean and seed are set above, for both methods.
    if (app.get_option_no_throw("--" + kebab(field.name)) == nullptr) flags(field, value);
  };
  flags.method("geometric");
  describe(options.geometric, add);
  flags.method("untf");
  describe(options.untf, add);
  flags.name_methods();
  add_flow_flags(app, settings->unrolled, settings->flow);
  add_output_flag(app, settings->output, "file of the operator, .npy, or of the flow, .npz")->required();
  app.add_option("--picture", settings->picture, "PNG of the rows as filters, smooth ones first")
      ->type_name("FILE")
      ->group("Output");
  add_json_flag(app, settings->run.json);
  add_page_flag(app, settings->run.page);
  add_run_flags(app, settings->run);
  return [settings, flags, &app](Terminal& terminal) {
    check_kind(app, settings->unrolled);
    if (settings->unrolled) return learn_flow(*settings, terminal);
    flags.check_method(enum_name(settings->options.method));
    check_files(*settings);
    return run_learn(*settings, terminal);
  };
}

}  // namespace parsimony::cli
