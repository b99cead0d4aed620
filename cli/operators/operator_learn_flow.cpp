#include "operators/operator_learn_flow.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <variant>

#include "operators/show_learned.hpp"
#include "operators/training_data.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/operators/atlas.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/show.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kGroup = "Unrolled flow";
constexpr const char* kUnrolled = "--unrolled";

std::filesystem::path checkpoint_of(const std::string& output) {
  return output + ".checkpoint";
}

void check_files(const FlowLearning& learning) {
  const bool one_energy = learning.options.one_energy;
  if (std::filesystem::path(learning.output).extension() != (one_energy ? ".npy" : ".npz")) {
    refuse(one_energy ? "--output: what --one-energy trains is an operator; its name must end in .npy"
                      : "--output: the flow is an archive of arrays; its name must end in .npz");
  }
  check_writable("--output", learning.output);
  check_writable("--output", checkpoint_of(learning.output));
  if (!learning.picture.empty()) {
    if (!one_energy) {
      refuse("--picture: a flow has no atoms to draw; --one-energy does");
    }
    check_writable("--picture", learning.picture, {learning.output});
    if (std::filesystem::path(learning.picture).extension() != ".png") {
      refuse("--picture: the picture is a PNG; its name must end in .png");
    }
  }
  for (const std::string& path : learning.paths) {
    check_readable(input_path(path));
    for (const auto& file : {std::filesystem::path(learning.output), checkpoint_of(learning.output)}) {
      check_writable("--output", file, {input_path(path)});
    }
    if (!learning.picture.empty()) check_writable("--picture", learning.picture, {input_path(path)});
  }
}

// What the training refuses too, here by the name of the file.
void check_sizes(const FlowLearning& learning, const std::vector<Matrix<float>>& images) {
  const std::int64_t side = learning.options.crop_side;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (images[i].rows() >= side && images[i].cols() >= side) continue;
    refuse(fmt::format("--crop-side: crops of {} × {} pixels do not fit in {}, which has {} × {}", side, side,
                       learning.paths[i], images[i].rows(), images[i].cols()));
  }
}

std::string text_of(const FlowLearning& learning, const images::TrainedFlow& trained) {
  const images::UnrolledFlow& flow = trained.flow;
  std::string text = fmt::format("images            {}\n", learning.paths.size());
  if (learning.options.one_energy) {
    text += fmt::format("operator          {} x {}, trained through {} steps\n", flow.filters(),
                        flow.side * flow.side, flow.steps());
    text += frame_text(frame_figures(images::flow_operator(flow), true));
  } else {
    text += fmt::format("flow              {} steps, {} filters of {} x {} pixels{}\n", flow.steps(),
                        flow.filters(), flow.side, flow.side, flow.shared() ? "" : " in each");
  }
  text += fmt::format("iterations        {}\n", trained.report.iterations);
  for (const auto& [name, value] : trained.report.figures) {
    if (name != "psnr_gain") continue;
    text += fmt::format("gain in PSNR      {:.2f} dB, on the last crops\n", std::get<double>(value));
  }
  return text + fmt::format("seconds           {:.3f}\n", trained.report.seconds());
}

std::string json_of(const FlowLearning& learning, const images::TrainedFlow& trained) {
  const images::UnrolledFlow& flow = trained.flow;
  auto root = nlohmann::ordered_json::parse(trained.report.to_json());
  root["data"] = {{"paths", learning.paths}, {"images", true}};
  if (learning.options.one_energy) {
    const FrameFigures figures = frame_figures(images::flow_operator(flow), true);
    root["operator"] = {{"path", learning.output},
                        {"rows", flow.filters()},
                        {"cols", flow.side * flow.side},
                        {"frame_bounds", {figures.bounds.lower, figures.bounds.upper}},
                        {"coherence", figures.coherence}};
  } else {
    root["flow"] = {{"path", learning.output},
                    {"steps", flow.steps()},
                    {"side", flow.side},
                    {"filters", flow.filters()},
                    {"own_filters", !flow.shared()}};
  }
  return json_text(root);
}

}  // namespace

void add_flow_flags(CLI::App& app, bool& unrolled, images::FlowTrainingOptions& options) {
  app.add_flag(
         kUnrolled, unrolled,
         "train an unrolled flow on clean images, for operator denoise --flow; with --one-energy an operator")
      ->group(kGroup);
  const Flags flags = Flags(app, kGroup).word("highest_sigma", "none", 0);
  describe(options, [&](const Field& field, auto& value) {
    Field named = field;
    if (field.name == "seed") return;
    if (field.name == "steps") named.name = "flow_steps";  // --steps says how untf chooses its own
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
  if (!unrolled && app.count("--rows") == 0) refuse("--rows is required");
}

int learn_flow(const CLI::App& app, const FlowLearning& learning, Terminal& terminal) {
  const images::FlowTrainingOptions& options = learning.options;
  if (app.count("--highest-sigma") > 0 && options.highest_sigma > 0 &&
      options.highest_sigma <= options.sigma) {
    refuse(
        fmt::format("--highest-sigma: {} must be above --sigma, {}", options.highest_sigma, options.sigma));
  }
  check_files(learning);
  const Context context = terminal.context(learning.threads);

  Report command;
  StageTimer reading(command, "read");
  const std::vector<Matrix<float>> images = read_images(learning.paths, learning.max_memory, context);
  reading.finish();
  check_sizes(learning, images);
  const std::vector<MatrixView<const float>> views(images.begin(), images.end());
  const std::filesystem::path checkpoint = checkpoint_of(learning.output);
  images::TrainedFlow trained = images::train_unrolled_flow(views, options, context, checkpoint);
  add_before(trained.report, command);
  context.check_cancelled();
  if (options.one_energy) {
    const Matrix<double> omega = images::flow_operator(trained.flow);
    operators::write_operator(learning.output, omega);
    if (!learning.picture.empty()) write_image(learning.picture, operators::atlas(omega));
  } else {
    images::save_unrolled_flow(learning.output, trained.flow);
  }
  std::error_code gone;  // a checkpoint that stays does no harm: the same command ends at once
  std::filesystem::remove(checkpoint, gone);
  print(learning.json ? json_of(learning, trained) : text_of(learning, trained));
  return kDone;  // the iterations are a plan, with a rate that falls to 0, and no limit that was met
}

}  // namespace parsimony::cli
