// parsimony operator denoise: images, and signals, with less noise.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "operators/images.hpp"
#include "operators/operator_denoise_signals.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/images/adaptive_denoising.hpp"
#include "parsimony/images/image_denoising.hpp"
#include "parsimony/images/noise_level.hpp"
#include "parsimony/images/opponent_colors.hpp"
#include "parsimony/images/unrolled_flow.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "verbs.hpp"

namespace parsimony::cli {

enum class DenoisingMethod { automatic, flow, analysis, l1 };

constexpr auto names_of(DenoisingMethod) {
  using enum DenoisingMethod;
  return enum_names<DenoisingMethod>(
      {{automatic, "auto"}, {flow, "flow"}, {analysis, "analysis"}, {l1, "l1"}});
}

namespace {

constexpr const char* kExamples = R"(Examples:
  parsimony operator denoise photo.png --sigma 20 --output better.png
  parsimony operator denoise noisy.png --method analysis --operator op.npy --reference clean.png --output out.png
  parsimony operator denoise photo.png --flow flow.npz --sigma 20 --output better.png
  parsimony operator denoise photo.png --adapt --output better.png
  parsimony operator denoise signals.npy --signals --operator op.npy --sigma 0.1 --output out.npy
  parsimony operator denoise line.npy --operator windows.npy --sigma 0.1 --output out.npy

Methods: flow, trained for what it gives, the fastest; analysis, the log penalty of an operator's coefficients;
l1, their sum of absolute values. auto is flow, or analysis with --operator. Without --sigma the noise is
estimated. Colours are denoised as luminance and two differences; alpha stays as it is. --adapt takes seconds
and is for texture that repeats. A 1-D array is one signal: the rows of --operator are filters along it.)";

struct Settings {
  ImageFiles files;
  std::string op;
  std::string flow;
  DenoisingMethod method = DenoisingMethod::automatic;
  images::ImageDenoisingOptions options;
  bool adapt = false;
  bool signals = false;
  int threads = 0;
  bool quiet = false;
};

int denoise_image(const Settings& settings, const Image& noisy, const Context& context) {
  check_image(settings.files.output, noisy);
  const std::optional<Image> reference = read_reference(settings.files, noisy);
  const bool flow = settings.method == DenoisingMethod::flow;
  const Matrix<double> omega = flow                  ? Matrix<double>()
                               : settings.op.empty() ? operators::shipped_operator()
                                                     : operators::read_operator(settings.op);
  const images::UnrolledFlow own =
      settings.flow.empty() ? images::UnrolledFlow() : images::load_unrolled_flow(settings.flow);
  std::vector<Report> reports;
  std::vector<double> sigmas;
  const Image found =
      images::by_opponent_colors(noisy, [&](MatrixView<const float> channel, std::int64_t index) {
        images::ImageDenoisingOptions options = settings.options;
        if (options.sigma == 0) options.sigma = images::estimate_noise_level(channel, context);
        sigmas.push_back(options.sigma);
        if (options.sigma == 0 && index > 0) {  // a grey image in colours
          Matrix<float> same(channel.rows, channel.cols);
          for (std::int64_t i = 0; i < channel.rows; ++i)
            std::copy_n(channel.row_data(i), channel.cols, same.row(i).data());
          return same;
        }
        if (options.sigma == 0) {
          refuse("--sigma: no noise is found in the image (is it constant?); say how much there is");
        }
        if (flow) {
          const images::UnrolledFlow steps =
              settings.flow.empty() ? images::shipped_flow(options.sigma) : own;
          if (settings.adapt) {
            auto result = images::denoise_adaptively(channel, steps, {.sigma = options.sigma}, context);
            reports.push_back(std::move(result.report));
            return std::move(result.image);
          }
          auto result = images::denoise_by_flow(channel, options.sigma, steps, context);
          reports.push_back(std::move(result.report));
          return std::move(result.image);
        }
        auto result = images::denoise_image(channel, omega, options, context);
        reports.push_back(std::move(result.report));
        return std::move(result.image);
      });
  const auto quality = reference ? quality_of(found, *reference, context) : nlohmann::ordered_json();
  context.check_cancelled();
  write_image(settings.files.output, found);
  print_image_result(settings.files, reports, sigmas, quality);
  return kDone;
}

// A 1-D array: a column of values.
bool is_line(const Image& image) {
  return image.bits == 32 && image.width() == 1 && image.height() > 1;
}

int run(Settings settings, const CLI::App& app, Terminal& terminal) {
  if (app.count("--sigma") > 0 && settings.options.sigma == 0) {
    refuse("--sigma: 0 is out of range; must be above 0, or left out to be estimated");
  }
  if (settings.signals) {
    if (settings.op.empty()) refuse("--operator: signals need the operator that they are cosparse under");
    for (const char* flag :
         {"--method", "--flow", "--adapt", "--reference", "--nu", "--max-iterations", "--tile"}) {
      if (app.count(flag) > 0) refuse(fmt::format("{}: not with --signals", flag));
    }
    if (image_format(settings.files.input) != ImageFormat::npy ||
        image_format(settings.files.output) != ImageFormat::npy) {
      refuse("--signals: signals are read from .npy and written to .npy");
    }
  }
  if (settings.method == DenoisingMethod::automatic) {
    settings.method = settings.op.empty() ? DenoisingMethod::flow : DenoisingMethod::analysis;
  }
  const std::string name = kebab(enum_name(settings.method));
  if (app.count("--flow") > 0) {
    if (app.count("--operator") > 0) refuse("--flow: not with --operator; a flow has its own filters");
    if (settings.method != DenoisingMethod::flow) refuse(fmt::format("--flow: not with --method {}", name));
    if (settings.flow.empty()) refuse("--flow: '' names no file");
  }
  if (settings.adapt && settings.method != DenoisingMethod::flow) {
    refuse(app.count("--operator") > 0 ? "--adapt: learns its own operator; not with --operator"
                                       : fmt::format("--adapt: not with --method {}; flow has it", name));
  }
  for (const char* flag : {"--operator", "--weight", "--nu", "--max-iterations", "--tile"}) {
    const bool none = settings.method == DenoisingMethod::flow && !settings.signals;
    const bool log_only = settings.method == DenoisingMethod::l1 && std::string_view(flag) == "--nu";
    if ((none || log_only) && app.count(flag) > 0) {
      refuse(fmt::format("{}: not with --method {}; analysis has it", flag, name));
    }
  }
  settings.options.penalty =
      settings.method == DenoisingMethod::l1 ? images::ImagePenalty::l1 : images::ImagePenalty::log;
  check_image_files(settings.files, {settings.op, settings.flow});
  if (settings.quiet) terminal.be_quiet();
  const Context context = terminal.context(settings.threads);
  const SignalDenoising of_signals{settings.op, settings.options.sigma, settings.options.weight,
                                   settings.options.nu, settings.options.max_iterations};
  if (settings.signals) return denoise_signals(settings.files, of_signals, terminal, context);
  const Image noisy = read_image(input_path(settings.files.input), settings.files.max_memory);
  if (is_line(noisy)) {
    for (const char* flag : {"--method", "--flow", "--adapt", "--tile"}) {
      if (app.count(flag) > 0)
        refuse(fmt::format("{}: of images; {} is one signal", flag, settings.files.input));
    }
    return denoise_line(settings.files, of_signals, noisy.channels[0], context);
  }
  return denoise_image(settings, noisy, context);
}

}  // namespace

Action add_operator_denoise(CLI::App& app) {
  const auto settings = std::make_shared<Settings>();
  app.footer(kExamples);
  add_image_flags(app, settings->files);
  const Flags flags(app, "Method");
  flags(Field{"method", "how"}, settings->method);
  app.add_option("--operator", settings->op, "operator to use instead of the one that comes with the program")
      ->type_name("FILE")
      ->group("Method");
  app.add_option("--flow", settings->flow,
                 "flow of operator learn --unrolled instead of those that come with it")
      ->type_name("FILE")
      ->group("Method");
  describe(settings->options, [&flags](const Field& field, auto& value) {
    if (field.name != "penalty") flags(field, value);
  });
  app.add_flag("--adapt", settings->adapt,
               "learn an operator on the image too, and blend what it gives with what the flow gives")
      ->group("Method");
  app.add_flag("--signals", settings->signals, "IN holds signals, one a row: their analysis sparse coding")
      ->group("Method");
  add_run_flags(app, settings->threads, settings->quiet);
  return [settings, &app](Terminal& terminal) { return run(*settings, app, terminal); };
}

}  // namespace parsimony::cli
