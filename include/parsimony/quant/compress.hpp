// A neural network in fewer bytes: a model of named tensors becomes a compact file, in one call or step by
// step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/integer_quantizer.hpp"
#include "parsimony/quant/layer_stack.hpp"
#include "parsimony/quant/model_tensors.hpp"

namespace parsimony::quant {

/// Schemes for all layers of a network, by their roles.
enum class Preset {
  none,
  paper,     ///< the sizes of [fan2021training]: product codes of 8 and 4 weights; needs training for its
             ///< quality
  small,     ///< product codes for convolutions, 3-bit levels for Transformers
  accurate,  ///< 4-bit levels for Transformers, int6 for convolutions
};

constexpr auto names_of(Preset) {
  using enum Preset;
  return enum_names<Preset>({{none, "none"}, {paper, "paper"}, {small, "small"}, {accurate, "accurate"}});
}

/// New values of tensors that are not in codes, by name.
using TensorValues = std::vector<std::pair<std::string, std::vector<float>>>;

/// The default, int8 for every layer, makes float32 models four times smaller at an error that is hardly ever
/// seen. Below that, set a budget: it gives bits to the layers where they lower the error most.
struct CompressOptions {
  /// One word for all layers, or rules "selector=word" with commas between them, of which the first that
  /// selects a layer counts: "ffn=pq8,attention=pq4,depthwise|stem=int8,*=levels4". A selector is a role
  /// (embedding, position, token-type, attention, ffn, classifier, linear, stem, pointwise, convolution,
  /// depthwise, recurrent), a regular expression searched in the name, several of both with | between them,
  /// or * for all. A layer that no rule selects has auto.
  ///  - auto: chosen with a budget, int8 without
  ///  - int2 to int8: integers, one scale per output, or per group of it with g: int4g64
  ///  - nf4, levels2 to levels4: tables of 4 to 16 levels in groups of 64 (g32: of 32). Those of nf4 are
  ///    NormalFloat's; the others are learned for each weight
  ///  - pq, pq8, pq8x1024: product codes for blocks of 8 weights, 1024 centroids
  ///  - float: not in codes
  /// Product codes for all layers (pq, or * = pq) leave out those that they ruin: stems, token types,
  /// depthwise convolutions and classifiers of at most 256 classes become int8 unless a rule names them.
  std::string scheme = "auto";
  /// Schemes of all layers that option scheme does not name; also sets half, and for convolutional networks
  /// codebooks of int8.
  Preset preset = Preset::none;
  /// Values of an output that share a scale, for integers and levels whose word gives no group. 0: 64 for
  /// levels and nf4, all values for integers. Smaller groups have a smaller error; a group costs a byte, or
  /// for integers a byte and a code.
  std::int64_t group = 0;
  /// The dimension of the outputs: auto, a number, several with + between them (0+1: a scale for each row of
  /// stacked matrices), or rules "pattern=axis" with commas between them. auto finds stacked experts, the
  /// Conv1D of GPT-2, kernels with outputs last, and transposed convolutions.
  std::string axis = "auto";
  /// Largest size of the file in bytes, header included; 0: no limit. Scheme, block_size, centroids and
  /// layout are then chosen for each layer (with scheme pq among products only). Costs about as much as the
  /// quantization itself.
  std::int64_t budget = 0;
  /// Weights in a block of pq, d. 0: a kernel of a convolution, 4 for kernels of one value, otherwise 8.
  /// Larger blocks take fewer bytes (log2(centroids) / d bits a weight) and have a larger error.
  std::int64_t block_size = 0;
  /// Largest codebook of pq, K. A layer gets at most a fourth as many centroids as it has blocks.
  std::int64_t centroids = 256;
  /// Set input_channels where the channels at one position of a kernel are more alike than its positions.
  BlockLayout layout = BlockLayout::row;
  /// int8 halves the codebooks again; it pays for small layers, where codebooks are a large part.
  CodebookType codebook = CodebookType::float16;
  /// Range of integers. min_max is about 100 times faster than mse and clips nothing; its error is larger,
  /// most of all at 4 bits and less.
  RangeRule range = RangeRule::mse;
  int max_iterations = 20;  ///< limit of k-means for a codebook; more lower the error by a few percent
  bool half = false;        ///< stores float32 scales and tensors that are not in codes as float16
  /// Puts the running means of batch norms, and the bias of a classifier, right by what the codes shift the
  /// outputs of their layers on average. Needs no data: the means of the inputs follow from the batch norms
  /// before. Set it for convolutional networks at 4 bits a weight or fewer. Knows the names of timm's
  /// EfficientNet and MobileNet, torchvision's MobileNetV2, and ResNets; a warning says where it finds
  /// nothing. These tensors then differ from the model's.
  bool bias_correction = false;
  /// Turns each batch norm into a factor and a shift for each channel: running means of 0 and variances of 1,
  /// which take no bytes, with another weight and bias. The network computes the same as long as it is not
  /// trained, for training would take the new means and variances for those of its inputs.
  bool fold_batch_norm = false;
  /// The epsilon that the network adds to a variance, for fold_batch_norm. 1e-5 in PyTorch, timm and
  /// torchvision, 1e-3 in networks from TensorFlow (timm's tf_ names), torchvision's MobileNetV3 and its
  /// larger EfficientNets. 0: 1e-5, with a warning where the other one would change channels by more than 1
  /// %.
  double batch_norm_epsilon = 0;
  bool deflate_header = false;  ///< CompactRecipe::deflated; for models below a few hundred kilobytes
  std::uint64_t seed = 0;

  /// Regular expressions (ECMAScript), searched in the first 1024 bytes of a tensor's name. Tensors of 2 to 5
  /// dimensions that are named as weights become codes (names in "weight"; weight_ih_l0 and the like of
  /// recurrent layers; weight_v and original1 of weight norm; gate_up_proj and down_proj of stacked experts),
  /// or with `layers` those whose name it matches, in both cases without those that `exclude` matches. Leave
  /// out a sensitive layer, such as the last one, here.
  std::string layers = {};
  std::string exclude = {};
  /// Layers of Transformers that share their tensors, and layers that are left out: see share_and_prune.
  /// compress() alone reads these two; layers, exclude and the calibration have the numbers of the layers
  /// that remain. With prune and a config.json beside the model, one for the remaining layers is written
  /// beside the output.
  LayerSharing share = LayerSharing::none;
  LayerPruning prune = LayerPruning::none;
  /// Fails, before anything is in codes, if a tensor of floats that both expressions let through cannot
  /// become codes. Set it in scripts, where no reader sees the list of such tensors.
  bool strict = false;
  bool dry_run = false;  ///< plans and says the size to the byte, but writes no file

  /// Inputs of the layers. For a weight m.weight the file has a tensor m.input_second_moment, E[x²] per input
  /// channel or per value of an output, or m.input, from which it is computed: samples first, channels last
  /// for 2-D weights and second otherwise. A convolution in groups has the channels of all groups. Errors
  /// then count as they change the layer's outputs (of independent inputs) instead of all alike.
  std::optional<SafetensorsFile> calibration = std::nullopt;
  /// Integers and levels of linear layers, and of convolutions with kernels of one value, are chosen one
  /// input after the other, each making up for the errors of those before it as far as the samples m.input of
  /// the calibration are correlated. Set it at 4 bits a weight or fewer where you have some thousand samples
  /// (rows of m.input). The errors of the outputs fall by it, those of the weights, which the report shows,
  /// grow.
  bool feedback = false;
  /// Is called with the codes once they are made, and returns what tensors that are not in codes become, such
  /// as the statistics of batch norms on the quantized network. A tensor keeps its dtype and shape. Tensors
  /// that others share, and int64, cannot change. models::compress_for_images() sets it.
  std::function<TensorValues(const CompactModel&)> correct = {};
};

template <OptionsOf<CompressOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(
      Field{
          "scheme",
          "auto, int2 to int8 (int4g64: in groups of 64), levels2 to levels4, nf4, pq, pq8 (blocks of 8) or "
          "float; or rules by role or name: ffn=pq8,depthwise|stem=int8,*=levels4 (default: auto)"},
      options.scheme);
  visit(Field{"preset", "schemes by role for a whole network; scheme may change some of them"},
        options.preset);
  visit(Field{"group", "values of an output that share a scale, for integers and levels", 1, 1 << 20, "auto",
              0},
        options.group);
  visit(Field{"axis",
              "dimension of the outputs, 0+1 for stacked matrices, or rules pattern=axis (default: auto)"},
        options.axis);
  visit(
      Field{"budget", "largest size of the file in bytes; each layer gets the scheme that costs least error",
            1, 1e15, "none", 0},
      options.budget);
  visit(
      Field{"block_size", "weights in a block of pq; larger: smaller file, larger error", 1, 4096, "auto", 0},
      options.block_size);
  visit(Field{"centroids", "largest codebook of pq; a layer has at most a fourth as many as blocks", 1,
              1 << 16},
        options.centroids);
  visit(Field{"layout", "position of the weights of a block of pq"}, options.layout);
  visit(Field{"codebook", "type of the centroids in the file"}, options.codebook);
  visit(Field{"range", "rule for the range of integers; min-max is fast, mse has the least error"},
        options.range);
  visit(Field{"max_iterations", "limit of k-means for a codebook", 0, 1e6}, options.max_iterations);
  visit(Field{"half", "store float32 scales, biases and norms as float16"}, options.half);
  visit(Field{"bias_correction",
              "correct the means that batch norms subtract for what the codes shift, without data; for\n"
              "convolutional networks at few bits"},
        options.bias_correction);
  visit(
      Field{"fold_batch_norm", "store batch norms as a factor and a shift a channel; not for training later"},
      options.fold_batch_norm);
  visit(
      Field{"batch_norm_epsilon",
            "epsilon of folded batch norms; auto: 1e-5; networks from TensorFlow have 1e-3", 0, 1, "auto", 0},
      options.batch_norm_epsilon);
  visit(Field{"deflate_header", "deflate names and shapes, a large part of files of small models"},
        options.deflate_header);
  visit(Field{"seed", "seed of all random numbers"}, options.seed);
  visit(Field{"layers", "regular expression: only tensors whose name it matches (default: names of weights)"},
        options.layers);
  visit(Field{"exclude", "regular expression: no tensors whose name it matches"}, options.exclude);
  visit(Field{"share", "layers of a Transformer that share their tensors, as it was trained"}, options.share);
  visit(Field{"prune", "layers of a Transformer to leave out, as it was trained with layers dropped"},
        options.prune);
  visit(Field{"strict", "fail if a tensor of floats that layers and exclude let through cannot become codes"},
        options.strict);
  visit(Field{"feedback", "codes make up for each other's errors on the inputs of the calibration"},
        options.feedback);
  visit(Field{"dry_run", "write nothing, print the bytes of every tensor and of the file"}, options.dry_run);
}

/// A tensor that does not become codes.
struct LeftAlone {
  std::string name;
  std::string reason;
  bool expected = true;  ///< by its kind (one dimension, no floats) or by `layers` and `exclude`
};

/// Every decision about the file, before the codes are made. planned_size(recipe) is its size to the byte.
struct CompressionPlan {
  CompressOptions options;
  CompactRecipe recipe;
  std::vector<LeftAlone> left_alone;  ///< by name
  /// One per weight, from the calibration, as in WeightView; empty: every value counts the
  /// same.
  std::vector<std::vector<float>> importance;
};

/// Plans a compact file. Tensors of the same bytes lie in it once: the others become aliases, except
/// constants, which may change apart. A weight whose codes would take more bytes than its floats is left
/// alone; a product whose codebook would make it larger than int8 becomes int8.
///
/// With a budget the errors of every weight by integers, levels and products of several kinds are estimated
/// from samples of it, and the choices minimize Σ s · Σ a (w − ŵ)² / Σ a w² among those on the lower convex
/// hulls of (bytes, error): the relative errors of the layers' outputs, whatever the scale of their weights,
/// with a factor s by the layer's role (see docs/quantizing.md). A weight without inputs in the
/// calibration has a = 1, so that its error compares with those that have them.
///
/// Throws invalid_argument (options; regular expressions; a budget below the least possible size, which is
/// named before anything is measured), unsupported (strict), format (a calibration that does not fit; a
/// tensor whose name the codes of another need; a model that is a compact file already), cancelled.
CompressionPlan plan_compression(const ModelTensors& model, const CompressOptions& options = {},
                                 const Context& context = Context{});

/// A model in codes, in memory.
struct QuantizedModel {
  CompactModel model;
  std::vector<double> relative_mse;  ///< one per weight; see relative_mse() in decode.hpp
  Report report;                     ///< figures "budget_error", the sum that a budget minimizes, and
                                     ///< with the options "corrected_layers",
                                     ///< "folded_norms" and "fed_back_layers"
};

/// Makes the codes that the plan of the same model decides on. O(weights · K · max_iterations) for products,
/// about 100 passes for integers (range mse). The same bytes for any number of threads.
QuantizedModel quantize_model(const ModelTensors& model, CompressionPlan plan,
                              const Context& context = Context{});

/// The result of compress().
struct Compression {
  CompactRecipe recipe;
  std::vector<LeftAlone> left_alone;
  std::vector<double> relative_mse;  ///< one per weight; empty after a dry run
  std::int64_t model_bytes = 0;      ///< size of the model's safetensors file
  std::int64_t bytes = 0;            ///< size of the compact file, to the byte after a dry run too
  Report report;                     ///< stages plan, quantize, write
};

/// Compresses a model into a compact file: plans, makes the codes, and writes them. The file is read back and
/// compared with the codes before it gets its name; whatever fails leaves an older file of that name as it
/// was. Logs warnings where the codes lose more than a third of a weight, and where a network with batch norm
/// has few bits and no bias_correction. After a dry run nothing is written, and output may be empty.
///
/// Memory beside the model:
///  - the codes twice, as made and as read back, and with deflate_header the bytes of the file once;
///  - up to five times the float32 values of the largest weight: its blocks, their importance and its decoded
///    values;
///  - with a calibration the float32 values of its largest tensor, and the moments of each weight until its
///    codes are made: one float per input channel, or per value of a convolution in groups.
/// A model in a file is mapped, so that the system may drop its pages. The same bytes for any number of
/// threads.
///
/// Throws what plan_compression throws, invalid_argument (no output; an output that ends in .gz or .zst, or
/// is a shard of the model) and io.
Compression compress(const ModelTensors& model, const OutputPath& output, const CompressOptions& options = {},
                     const Context& context = Context{});
/// The same for a safetensors file (plain, .gz or .zst), or for the index of a sharded model. Logs a warning
/// for a file that is named as one of several shards.
Compression compress(const std::filesystem::path& model, const OutputPath& output,
                     const CompressOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::quant
