// parsimony operator inpaint: what is missing of an image.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "operators/images.hpp"
#include "parsimony/images/inpainting.hpp"
#include "parsimony/images/opponent_colors.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Example:
  parsimony operator inpaint photo.png --mask known.png --output whole.png

The mask is black (0) where a pixel is missing. With --sigma the known pixels are taken to be noisy and are
denoised too; without, they stay as they are.)";

struct Settings {
  ImageFiles files;
  std::string mask, op;
  images::InpaintingOptions options;
  int threads = 0;
  bool quiet = false;
};

int run(const Settings& settings, Terminal& terminal) {
  check_image_files(settings.files, {settings.mask, settings.op});
  if (settings.quiet) terminal.be_quiet();
  const Context context = terminal.context(settings.threads);
  const Image image = read_image(input_path(settings.files.input), settings.files.max_memory);
  check_image(settings.files.output, image);
  const Image mask = read_image(settings.mask, settings.files.max_memory);
  check_same_size("--mask", mask, image);
  const std::optional<Image> reference = read_reference(settings.files, image);
  const Matrix<double> omega =
      settings.op.empty() ? operators::shipped_operator() : operators::read_operator(settings.op);
  // Of a mask in colours any that is not black makes a pixel known.
  Matrix<float> known = mask.channels[0];
  for (std::int64_t c = 1; c < mask.colors(); ++c) {
    for (std::int64_t i = 0; i < known.size(); ++i) {
      known.data()[i] += mask.channels[static_cast<std::size_t>(c)].data()[i];
    }
  }
  std::vector<Report> reports;
  const Image found = images::by_opponent_colors(image, [&](MatrixView<const float> channel, std::int64_t) {
    auto result = images::inpaint_image(channel, known, omega, settings.options, context);
    reports.push_back(std::move(result.report));
    return std::move(result.image);
  });
  const auto quality = reference ? quality_of(found, *reference, context) : nlohmann::ordered_json();
  context.check_cancelled();
  write_image(settings.files.output, found);
  print_image_result(settings.files, reports, {}, quality);
  return kDone;
}

}  // namespace

Action add_operator_inpaint(CLI::App& app) {
  const auto settings = std::make_shared<Settings>();
  app.footer(kExamples);
  add_image_flags(app, settings->files);
  app.add_option("--mask", settings->mask, "image of the size of IN, 0 where its pixels are missing")
      ->required()
      ->type_name("FILE");
  const Flags flags(app, "Method");
  app.add_option("--operator", settings->op, "operator to use instead of the one that comes with the program")
      ->type_name("FILE")
      ->group("Method");
  describe(settings->options, flags);
  add_run_flags(app, settings->threads, settings->quiet);
  return [settings](Terminal& terminal) { return run(*settings, terminal); };
}

}  // namespace parsimony::cli
