// Flags, checks and output that the verbs on images share.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parsimony/core/image.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/report.hpp"
#include "support/run_flags.hpp"
#include "support/run_page.hpp"

namespace parsimony::cli {

/// IN, --output, --reference, --operator and the flags of every run.
struct ImageFiles {
  std::string input, output, reference;
  std::string analysis_operator;  ///< empty: the one that comes with the program
  RunSettings run;
};

/// All of them but --operator, which add_operator_flag puts before the other flags of the method.
void add_image_flags(CLI::App& app, ImageFiles& files);
void add_operator_flag(CLI::App& app, ImageFiles& files);

/// Refuses paths that cannot be read or written. `more` are other files to read; empty ones are skipped.
void check_image_files(const ImageFiles& files, const std::vector<std::string>& more);

/// The operator, if one was given, else an empty one.
Matrix<double> read_operator(const ImageFiles& files, const Context& context);

/// The reference, if one was given; throws unless it suits the image.
std::optional<Image> read_reference(const ImageFiles& files, const Image& image, const Context& context);

/// An image before and after the work.
struct ImageResult {
  const Image& input;
  const Image& image;
  const std::optional<Image>& reference;
  std::span<const Report> reports;
  std::span<const double> sigmas;
  std::optional<double> missing = {};  ///< share of the pixels
};

/// Writes the image and the page of the run, then prints the quality and the report, or all of it as JSON.
void write_image_result(const ImageFiles& files, const ImageResult& result, const Terminal& terminal,
                        const Context& context);

/// The reports of the channels, and the noise of each.
struct ShownReports {
  std::span<const Report> reports;
  std::span<const double> sigmas;
  std::string quality_lines = {};
  const nlohmann::ordered_json* quality = nullptr;
};

/// Writes the page of the run, and prints the reports; as JSON where --json says so.
void show_reports(const ImageFiles& files, const ShownReports& shown, std::vector<ReportPicture> pictures,
                  const Terminal& terminal, const Context& context, OutputSet& outputs);

}  // namespace parsimony::cli
