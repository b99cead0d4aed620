#include "operators/images.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/report_json.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/report_picture.hpp"
#include "parsimony/images/denoise.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "support/files.hpp"
#include "support/show.hpp"

namespace parsimony::cli {

void add_image_flags(CLI::App& app, ImageFiles& files) {
  app.add_option("IN", files.input,
                 "image: PNG, JPEG, TIFF, WebP, BMP, PBM, PGM, PPM, PAM or PFM (- for stdin), or a .npy "
                 "array on the scale "
                 "0 to 255")
      ->required()
      ->type_name("");
  add_output_flag(app, files.output,
                  "file of the result, with the bits of IN: .png, .jpg, .tif, .webp, .bmp, .pgm, .ppm, .pam, "
                  ".pfm or .npy")
      ->required();
  app.add_option("--reference", files.reference, "the clean image: prints PSNR and SSIM against it")
      ->type_name("FILE")
      ->group("Output");
  add_json_flag(app, files.run.json);
  add_page_flag(app, files.run.page);
  add_run_flags(app, files.run);
}

void add_operator_flag(CLI::App& app, ImageFiles& files) {
  app.add_option("--operator", files.analysis_operator,
                 "operator to use instead of the one that comes with the program")
      ->type_name("FILE")
      ->group("Method");
}

void check_image_files(const ImageFiles& files, const std::vector<std::string>& more) {
  check_readable(input_path(files.input));
  std::vector<std::string> read = more;
  read.insert(read.end(), {files.analysis_operator, files.reference});
  for (const std::string& file : read) {
    if (file.empty()) continue;
    check_readable(file);
    check_writable("--output", files.output, {file});
  }
  check_writable("--output", files.output, {files.input});
  check_page(files.run.page, {files.input, files.output});
  try {
    image_format(files.output);
  } catch (const Error& error) {
    refuse(std::string("--output: ") + error.what());
  }
}

Matrix<double> read_operator(const ImageFiles& files, const Context& context) {
  if (files.analysis_operator.empty()) return {};
  return operators::read_operator(files.analysis_operator, context.memory_left());
}

std::optional<Image> read_reference(const ImageFiles& files, const Image& image, const Context& context) {
  if (files.reference.empty()) return {};
  Image reference = read_image(files.reference, context.memory_left());
  images::check_reference(image, reference);
  return reference;
}

void write_image_result(const ImageFiles& files, const ImageResult& result, const Terminal& terminal,
                        const Context& context) {
  std::string lines;
  if (result.missing) lines = fmt::format("missing  {:.4g} % of the pixels\n", 100 * *result.missing);
  nlohmann::ordered_json json;
  if (result.reference) {
    const images::Quality quality =
        images::quality(as_stored(result.image, files.output), *result.reference, context);
    json = {{"psnr", quality.psnr}, {"ssim", quality.ssim}};
    if (!std::isnan(quality.psnr)) lines += fmt::format("PSNR     {:.2f} dB\n", quality.psnr);
    if (std::isfinite(quality.ssim)) lines += fmt::format("SSIM     {:.4f}\n", quality.ssim);
  }
  context.check_cancelled();
  OutputSet outputs;
  write_image(outputs.file(files.output), result.image);
  std::vector<ReportPicture> pictures;
  if (!files.run.page.empty()) {
    pictures = {report_picture("before", result.input), report_picture("after", result.image)};
    if (result.reference) pictures.push_back(report_picture("reference", *result.reference));
  }
  show_reports(files, {result.reports, result.sigmas, lines, result.reference ? &json : nullptr},
               std::move(pictures), terminal, context, outputs);
  outputs.commit();
}

void show_reports(const ImageFiles& files, const ShownReports& shown, std::vector<ReportPicture> pictures,
                  const Terminal& terminal, const Context& context, OutputSet& outputs) {
  nlohmann::ordered_json root = report_json(shown.reports.front());
  if (shown.reports.size() > 1) {
    root["colors"] = nlohmann::ordered_json::array();
    for (const Report& report : shown.reports) root["colors"].push_back(report_json(report));
  }
  if (!shown.sigmas.empty()) root["sigma"] = std::vector<double>(shown.sigmas.begin(), shown.sigmas.end());
  if (shown.quality != nullptr) root["quality"] = *shown.quality;
  const std::string json = json_text(root, context);
  write_page(files.run.page, json, std::move(pictures), terminal, context, outputs);
  if (files.run.json) return print(json);
  std::string text;
  if (!shown.sigmas.empty()) text += fmt::format("sigma    {:.4g}\n", fmt::join(shown.sigmas, ", "));
  double seconds = 0;
  for (const Report& report : shown.reports) seconds += report.seconds();
  print(text + shown.quality_lines + fmt::format("seconds  {:.3f}\n", seconds));
}

}  // namespace parsimony::cli
