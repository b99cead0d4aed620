// parsimony operator inpaint: fills in the missing pixels of an image.
#include <memory>

#include "operators/images.hpp"
#include "parsimony/images/denoise.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kInpaintExamples = R"(Example:
  parsimony operator inpaint photo.png --mask known.png --output whole.png

The mask is black where a pixel is missing, cut at half of its greatest value; --missing white is for masks that
mark what is missing. Where its colours are all of one value, its alpha is the mask. With --sigma the known pixels are taken to be noisy and are
denoised too; without it they stay as they are.)";

struct InpaintSettings {
  ImageFiles files;
  std::string mask;
  images::InpaintOptions options;
};

int run_inpaint(InpaintSettings settings, Terminal& terminal) {
  const ImageFiles& files = settings.files;
  check_image_files(files, {settings.mask});
  const Context context = start(terminal, files.run);
  const Image image = read_image(input_path(files.input), context.memory_left());
  check_image(files.output, image);
  const Image mask = read_image(settings.mask, context.memory_left());
  const std::optional<Image> reference = read_reference(files, image, context);
  settings.options.analysis_operator = read_operator(files, context);
  const images::InpaintResult found = images::inpaint(image, mask, settings.options, context);
  write_image_result(files, {image, found.image, reference, found.reports, {}, found.missing}, terminal,
                     context);
  return kDone;
}

}  // namespace

Action add_operator_inpaint(CLI::App& app) {
  const auto settings = std::make_shared<InpaintSettings>();
  app.footer(kInpaintExamples);
  add_image_flags(app, settings->files);
  app.add_option("--mask", settings->mask, "image of the size of IN, black where its pixels are missing")
      ->required()
      ->type_name("FILE");
  add_operator_flag(app, settings->files);
  describe(settings->options, Flags(app, "Method"));
  return [settings](Terminal& terminal) { return run_inpaint(*settings, terminal); };
}

}  // namespace parsimony::cli
