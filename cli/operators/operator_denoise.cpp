// parsimony operator denoise: removes noise from images and signals.
#include <fmt/format.h>

#include <memory>

#include "operators/images.hpp"
#include "operators/operator_denoise_signals.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/images/denoise.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kDenoiseExamples = R"(Examples:
  parsimony operator denoise photo.png --sigma 20 --output better.png
  parsimony operator denoise noisy.png --method analysis --operator op.npy --reference clean.png --output out.png
  parsimony operator denoise photo.png --flow flow.npz --sigma 20 --output better.png
  parsimony operator denoise photo.png --adapt --output better.png
  parsimony operator denoise signals.npy --signals --operator op.npy --sigma 0.1 --output out.npy
  parsimony operator denoise line.npy --operator windows.npy --sigma 0.1 --output out.npy

Methods: flow, a few trained steps, is the best and the fastest; analysis minimises the log penalty of an
operator's coefficients; l1 the sum of their absolute values. auto is flow, or analysis with --operator.
Without --sigma the noise is estimated. Colours are denoised as luminance and two differences; alpha stays as
it is. --adapt takes seconds and helps where texture repeats. A 1-D array is one signal: the rows of --operator
are filters along it.)";

// The range of denoise_signals and denoise_sequence.
constexpr double kLeastSigma = 1e-30, kMostSigma = 1e30;

struct DenoiseSettings {
  ImageFiles files;
  std::string flow;
  images::DenoiseOptions options;
  bool signals = false;
};

void refuse_flags(const CLI::App& app, std::initializer_list<const char*> flags, const std::string& reason) {
  for (const char* flag : flags) {
    if (app.count(flag) > 0) refuse(std::string(flag) + reason);
  }
}

void check_signal_flags(const DenoiseSettings& settings, const CLI::App& app) {
  if (settings.files.analysis_operator.empty())
    refuse("--operator: --signals needs the operator that the signals are cosparse under");
  refuse_flags(app, {"--method", "--flow", "--adapt", "--reference", "--nu", "--max-iterations", "--tile"},
               ": not with --signals");
  if (image_format(settings.files.input) != ImageFormat::npy ||
      image_format(settings.files.output) != ImageFormat::npy) {
    refuse("--signals: signals are read from .npy and written to .npy");
  }
}

// A 1-D array is read as a column of values.
bool is_line(const Image& image) {
  return image.bits == 32 && image.width() == 1 && image.height() > 1;
}

int run_denoise(DenoiseSettings settings, const CLI::App& app, Terminal& terminal) {
  const ImageFiles& files = settings.files;
  if (settings.signals) check_signal_flags(settings, app);
  if (app.count("--flow") > 0 && settings.flow.empty()) refuse("--flow: '' does not name a file");
  check_image_files(files, {settings.flow});
  const Context context = start(terminal, files.run);
  settings.options.analysis_operator = read_operator(files, context);
  if (settings.signals) return denoise_signals(files, settings.options, terminal, context);
  const Image noisy = read_image(input_path(files.input), context.memory_left());
  if (is_line(noisy)) {
    refuse_flags(app, {"--method", "--flow", "--adapt", "--tile", "--reference"},
                 fmt::format(" applies to images only; {} is a 1-D signal", files.input));
    return denoise_line(files, settings.options, noisy.channels[0], terminal, context);
  }
  check_image(files.output, noisy);
  const std::optional<Image> reference = read_reference(files, noisy, context);
  if (!settings.flow.empty()) {
    settings.options.own_flow = images::load_unrolled_flow(settings.flow, context.memory_left());
  }
  const images::DenoiseResult found = images::denoise(noisy, settings.options, context);
  write_image_result(files, {noisy, found.image, reference, found.reports, found.sigmas}, terminal, context);
  return kDone;
}

}  // namespace

Action add_operator_denoise(CLI::App& app) {
  const auto settings = std::make_shared<DenoiseSettings>();
  app.footer(kDenoiseExamples);
  add_image_flags(app, settings->files);
  add_operator_flag(app, settings->files);
  app.add_option("--flow", settings->flow,
                 "flow of operator learn --unrolled to use instead of the shipped one")
      ->type_name("FILE")
      ->group("Method");
  const Flags flags(app, "Method");
  describe(settings->options, [&](const Field& field, auto& value) {
    Field shown = field;
    // Signals may have any unit, so that the flag has their range; images::denoise() checks that of images.
    if (same_object(value, settings->options.sigma)) {
      shown.help =
          "standard deviation of the noise; of images on the scale 0 to 255, at least 1e-6; auto: "
          "estimated, of images only";
      shown.low = kLeastSigma;
      shown.high = kMostSigma;
    }
    flags(shown, value);
  });
  app.add_flag("--signals", settings->signals,
               "IN holds signals, one a row, that are cosparse under --operator")
      ->group("Method");
  return [settings, &app](Terminal& terminal) { return run_denoise(*settings, app, terminal); };
}

}  // namespace parsimony::cli
