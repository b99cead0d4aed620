#include "operators/operator_learn_flow.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "operators/show_learned.hpp"
#include "operators/training_data.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/operators/atlas.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kGroup = "Unrolled flow";
constexpr const char* kUnrolled = "--unrolled";

void check_files(const LearnSettings& settings, const std::filesystem::path& checkpoint) {
  const bool one_energy = settings.flow.one_energy;
  if (!settings.picture.empty() && !one_energy) {
    refuse(
        "--picture draws the rows of an operator; a flow has none. Give --one-energy to learn an operator");
  }
  std::vector<std::filesystem::path> inputs;
  for (const std::string& path : settings.paths) {
    inputs.push_back(input_path(path));
    check_readable(inputs.back());
  }
  check_writable("--output", checkpoint, inputs);
  check_outputs(settings, one_energy ? ".npy" : ".npz", inputs);
}

// The training refuses small images too; this message names the file.
void check_sizes(const LearnSettings& settings, const std::vector<Image>& images) {
  const std::int64_t side = settings.flow.crop_side;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (images[i].height() >= side && images[i].width() >= side) continue;
    refuse(fmt::format("--crop-side: crops of {} × {} pixels do not fit in {}, which has {} × {}", side, side,
                       settings.paths[i], images[i].height(), images[i].width()));
  }
}

}  // namespace

void add_flow_flags(CLI::App& app, bool& unrolled, images::FlowTrainingOptions& options) {
  app.add_flag(
         kUnrolled, unrolled,
         "train an unrolled flow on clean images, for operator denoise --flow; with --one-energy an operator")
      ->group(kGroup);
  const Flags flags(app, kGroup);
  describe(options, [&](const Field& field, auto& value) {
    Field named = field;
    if (same_object(value, options.seed)) return;
    if (same_object(value, options.steps))
      named.name = "flow_steps";  // --steps is the rule of the step lengths of untf
    flags(named, value);
  });
}

void check_kind(const CLI::App& app, bool unrolled) {
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name(), group = option->get_group();
    if (option->count() == 0 || name == kUnrolled || name == "--seed") continue;
    if (!unrolled && group == kGroup) refuse(fmt::format("{}: only with {}", name, kUnrolled));
    if (unrolled && (group == "Data" || group == "Method")) {
      refuse(fmt::format("{}: not with {}, which trains on whole images", name, kUnrolled));
    }
  }
}

int learn_flow(const LearnSettings& settings, Terminal& terminal) {
  images::FlowTrainingOptions options = settings.flow;
  options.seed = settings.options.seed;
  options.checkpoint = settings.output + ".checkpoint";
  check_files(settings, options.checkpoint);
  const Context context = start(terminal, settings.run);
  Report command;
  StageTimer reading(command, "read");
  const std::vector<Image> images = read_images(settings.paths, context);
  reading.finish();
  check_sizes(settings, images);
  std::vector<MatrixView<const float>> views;
  views.reserve(images.size());
  for (const Image& image : images) views.emplace_back(image.channels[0]);
  images::TrainedFlow trained = images::train_unrolled_flow(views, options, context);
  add_before(trained.report, command);
  const Matrix<double> found = options.one_energy ? images::flow_operator(trained.flow) : Matrix<double>();
  const Image picture = options.one_energy ? drawn_rows(settings, found) : Image{};
  context.check_cancelled();  // files appear from here on: all of them or none
  OutputSet outputs;
  if (options.one_energy) {
    operators::write_operator(outputs.file(settings.output), found);
    if (!settings.picture.empty()) write_image(outputs.file(settings.picture), picture);
  } else {
    images::save_unrolled_flow(outputs.file(settings.output), trained.flow);
  }
  trained.report.memory = memory_of(context);
  const std::string json = flow_json(trained, found, settings);
  write_page(settings.run.page, json, on_page(picture), terminal, context, outputs);
  print(settings.run.json ? json : flow_text(trained, found, settings));
  outputs.commit();
  std::error_code ignored;  // a checkpoint that cannot be removed does no harm: the same command ends at once
  std::filesystem::remove(options.checkpoint, ignored);
  return kDone;  // the iterations are planned, with a rate that falls to 0; they are not a limit that was met
}

}  // namespace parsimony::cli
