// Compresses a network for images and puts it right by some pictures without labels. Nothing of LibTorch in
// it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/models/image_network.hpp"
#include "parsimony/quant/compress.hpp"

namespace parsimony::models {

struct ImageCorrectionOptions {
  std::filesystem::path images{};  ///< zip or folder of pictures like those that the network will see
  ImageNetwork network = ImageNetwork::efficientnet_lite0;  ///< whose weights the file has
  int depth = 20;                                           ///< layers of a ResNet, 6 n + 2
  /// Most pictures that are read, evenly spaced in the order of names; 0: all. 128 are enough for batch norm;
  /// time and memory grow with them.
  std::int64_t pictures = 128;
  std::int64_t side = 0;       ///< pixels of each side; 0 (auto): image_side() of the network
  std::int64_t crop_from = 0;  ///< data::PictureOptions::crop_from
  Normalization normalization = Normalization::by_network;
  ConvolutionPadding padding = ConvolutionPadding::same;  ///< as the weights were trained
  /// Weighs the errors of weights by their inputs on the pictures, if the options have no calibration.
  bool weigh_inputs = true;
};

template <OptionsOf<ImageCorrectionOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"images", "zip or folder of pictures, without labels, by which batch norm is put right"},
        options.images);
  visit(Field{"network", "the network of the weights"}, options.network);
  visit(Field{"depth", "layers of a ResNet, 6 n + 2", 8, 1202}, options.depth);
  visit(Field{"pictures", "most pictures that are read, evenly spaced", 2, 1e6, "all", 0}, options.pictures);
  visit(Field{"side", "pixels of each side for the network", 1, 4096, "auto", 0}, options.side);
  visit(Field{"crop_from", "pixels of the shorter side before the middle is cut out", 1, 8192, "auto", 0},
        options.crop_from);
  visit(Field{"normalization", "mean and standard deviation of the colours"}, options.normalization);
  visit(Field{"padding", "zeros around the inputs of an EfficientNet's convolutions"}, options.padding);
  visit(Field{"weigh_inputs",
              "weigh the errors of weights by their inputs on the pictures",
              -std::numeric_limits<double>::infinity(),
              std::numeric_limits<double>::infinity(),
              {},
              0,
              "let all errors of weights count alike"},
        options.weigh_inputs);
}

/// quant::compress with two steps by pictures:
///  - before, the float network sees them, and the second moments of the inputs of its layers are the
///    calibration;
///  - after, the network computes with the codes. The running means of its batch norms move by the difference
///    between the means that the pictures have with the codes and without, the running variances by the
///    quotient of the variances. This brings back most of the accuracy that int4 loses without training. The
///    bias of the classifier takes up the mean difference of the logits.
/// The statistics of the pictures alone would be worse where the codes change little: 128 pictures cost
/// EfficientNet-Lite0 at int8 four points.
///
/// The correction of biases without data is not needed beside it.
///
/// report: stages read, measure, plan, quantize, correct, write; figures "pictures" and "corrected_tensors".
/// Time: two forward passes with and two without codes, 0.3 CPU seconds per picture for EfficientNet-Lite0.
/// Memory: 3 · side² bytes per picture, and a gigabyte for the passes. The same bytes on one machine with one
/// LibTorch and number of threads, as train::train.
///
/// Throws what quant::compress, load_weights and data::read_pictures throw; invalid_argument (no images);
/// unsupported (a model that is not one plain safetensors file).
quant::Compression compress_for_images(const std::filesystem::path& model, const OutputPath& output,
                                       const quant::CompressOptions& options,
                                       const ImageCorrectionOptions& correction,
                                       const Context& context = Context{});

}  // namespace parsimony::models
