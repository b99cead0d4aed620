// The settings of quantize, which parsimony and parsimony-torch share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "parsimony/core/output_file.hpp"
#include "parsimony/models/compress_for_images.hpp"
#include "parsimony/models/compress_for_texts.hpp"
#include "parsimony/quant/compress.hpp"
#include "support/run_flags.hpp"
#include "support/terminal.hpp"

namespace parsimony::cli {

struct QuantizeSettings {
  std::string input;
  std::string output;
  std::string calibration;
  quant::CompressOptions options;
  models::ImageCorrectionOptions images;
  models::TextCorrectionOptions texts;
  RunSettings run;
};

/// Quantizes with pictures or texts: in parsimony-torch by LibTorch; parsimony starts that program.
int run_quantize_with_data(QuantizeSettings& settings, const CLI::App& app, Terminal& terminal);

/// Opens the calibration that the settings name, if any, within the memory of the context.
void read_calibration(QuantizeSettings& settings, const Context& context);

/// Writes the page of the run and shows the result, once it is written.
void show_compression(const quant::Compression& made, const QuantizeSettings& settings, const CLI::App& app,
                      Terminal& terminal, const Context& context, OutputSet& outputs);

}  // namespace parsimony::cli
