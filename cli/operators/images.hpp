// What the verbs on images share.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "parsimony/core/image.hpp"
#include "parsimony/core/report.hpp"

namespace parsimony::cli {

/// IN, --output, --reference, --json: the same of both verbs.
struct ImageFiles {
  std::string input, output, reference;
  std::int64_t max_memory = 0;
  bool json = false;
};

void add_image_flags(CLI::App& app, ImageFiles& files);

/// Refuses paths that cannot be; `more` are other files to read, empty ones are left out.
void check_image_files(const ImageFiles& files, const std::vector<std::string>& more);

/// Throws Error(invalid_argument) with the flag unless `other` has the pixels of the image.
void check_same_size(const std::string& flag, const Image& other, const Image& image);

/// The reference, if one is given; throws unless it has the shape and the colours of the image.
std::optional<Image> read_reference(const ImageFiles& files, const Image& image);

/// PSNR and SSIM of what is written, over the colours; SSIM is null for less than 11 × 11 pixels.
nlohmann::ordered_json quality_of(const Image& image, const Image& reference, const Context& context);

/// Prints the reports, one a colour, and what was measured: as JSON, or what of it people want to know.
void print_image_result(const ImageFiles& files, const std::vector<Report>& reports,
                        const std::vector<double>& sigmas, const nlohmann::ordered_json& quality);

}  // namespace parsimony::cli
