#include "operators/images.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "parsimony/core/error.hpp"
#include "parsimony/images/image_quality.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/show.hpp"

namespace parsimony::cli {

void add_image_flags(CLI::App& app, ImageFiles& files) {
  app.add_option(
         "IN", files.input,
         "image: PNG, PGM or PPM of 8 or 16 bits (- for stdin), or a 2-D .npy array on the scale 0 to 255")
      ->required()
      ->type_name("");
  app.add_option("-o,--output", files.output, "file of the result, .png, .pgm, .ppm or .npy; the bits of IN")
      ->required()
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--reference", files.reference, "the image as it should be: prints PSNR and SSIM")
      ->type_name("FILE")
      ->group("Output");
  app.add_flag("--json", files.json, "print the report of the run as JSON")->group("Output");
  Flags(app, "Run")
      .word("max_memory", "unlimited", 0)(
          Field{"max_memory", "bytes that one image may take; 0: no limit", 0, 9e18}, files.max_memory);
}

void check_image_files(const ImageFiles& files, const std::vector<std::string>& more) {
  check_readable(input_path(files.input));
  for (const std::string& file : more) {
    if (file.empty()) continue;
    check_readable(file);
    check_writable("--output", files.output, {file});
  }
  if (!files.reference.empty()) {
    check_readable(files.reference);
    check_writable("--output", files.output, {files.reference});
  }
  check_writable("--output", files.output, {files.input});
  try {
    image_format(files.output);
  } catch (const Error& error) {
    refuse(std::string("--output: ") + error.what());
  }
}

void check_same_size(const std::string& flag, const Image& other, const Image& image) {
  if (other.width() == image.width() && other.height() == image.height()) return;
  refuse(fmt::format("{}: {} × {} pixels for an image of {} × {}", flag, other.width(), other.height(),
                     image.width(), image.height()));
}

std::optional<Image> read_reference(const ImageFiles& files, const Image& image) {
  if (files.reference.empty()) return {};
  Image reference = read_image(files.reference, files.max_memory);
  check_same_size("--reference", reference, image);
  for (const Matrix<float>& channel : reference.channels) {
    if (std::ranges::all_of(channel.values(), [](float v) { return std::isfinite(v); })) continue;
    refuse("--reference: " + files.reference + " has values that are not finite");
  }
  if (reference.colors() != image.colors()) {
    refuse(fmt::format("--reference: {} colours for an image of {}", reference.colors(), image.colors()));
  }
  return reference;
}

nlohmann::ordered_json quality_of(const Image& image, const Image& reference, const Context& context) {
  constexpr std::int64_t kWindow = 11;
  const Image stored = as_stored(image);
  const std::int64_t colors = image.colors();
  double error = 0, ssim = 0;
  for (std::int64_t c = 0; c < colors; ++c) {
    const auto k = static_cast<std::size_t>(c);
    error += std::pow(10, -images::psnr(stored.channels[k], reference.channels[k]) / 10);
    if (std::min(image.width(), image.height()) >= kWindow) {
      ssim += images::ssim(stored.channels[k], reference.channels[k], 255, context);
    }
  }
  const auto count = static_cast<double>(colors);
  nlohmann::ordered_json out;
  out["psnr"] = error > 0 ? nlohmann::ordered_json(-10 * std::log10(error / count)) : nullptr;
  out["ssim"] = ssim != 0 ? nlohmann::ordered_json(ssim / count) : nullptr;
  return out;
}

void print_image_result(const ImageFiles& files, const std::vector<Report>& reports,
                        const std::vector<double>& sigmas, const nlohmann::ordered_json& quality) {
  if (files.json) {
    auto root = nlohmann::ordered_json::parse(reports.front().to_json());
    if (reports.size() > 1) {
      root["colors"] = nlohmann::ordered_json::array();
      for (const Report& report : reports) {
        root["colors"].push_back(nlohmann::ordered_json::parse(report.to_json()));
      }
    }
    if (!sigmas.empty()) root["sigma"] = sigmas;
    if (!quality.is_null()) root["quality"] = quality;
    print(json_text(root));
    return;
  }
  std::string text;
  if (!sigmas.empty()) text += fmt::format("sigma    {:.4g}\n", fmt::join(sigmas, ", "));
  if (quality.contains("psnr") && quality["psnr"].is_number()) {
    text += fmt::format("PSNR     {:.2f} dB\n", quality["psnr"].get<double>());
  }
  if (quality.contains("ssim") && quality["ssim"].is_number()) {
    text += fmt::format("SSIM     {:.4f}\n", quality["ssim"].get<double>());
  }
  double seconds = 0;
  for (const Report& report : reports) seconds += report.seconds();
  print(text + fmt::format("seconds  {:.3f}\n", seconds));
}

}  // namespace parsimony::cli
