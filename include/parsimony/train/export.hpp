// Writes a trained network to a compact file.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "parsimony/core/options.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/quant/compact_file.hpp"

namespace torch::nn {
class Module;
}

namespace parsimony::train {

/// Type of the tensors that are not quantized, as stored.
enum class OtherTensors {
  float32,
  float16,  ///< float16 for tensors that it represents well, float32 for the others
  int8  ///< like float16, and integers of 8 bits with a range per output for parameters of 2 to 5 dimensions
};

constexpr auto names_of(OtherTensors) {
  using enum OtherTensors;
  return enum_names<OtherTensors>({{float32, "float32"}, {float16, "float16"}, {int8, "int8"}});
}

struct ExportOptions {
  OtherTensors others =
      OtherTensors::float16;    ///< float32 if the last digits matter; int8 for the smallest file
  bool deflate_header = false;  ///< CompactRecipe::deflated; saves bytes in models below about a megabyte
};

template <OptionsOf<ExportOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"others", "type of the tensors that are not quantized"}, options.others);
  visit(Field{"deflate_header", "compress names and shapes; saves bytes in small models"},
        options.deflate_header);
}

/// The layout of the file that export_compact would write, without metadata. quant::planned_size gives its
/// exact size.
quant::CompactRecipe export_recipe(torch::nn::Module& model,
                                   const std::map<std::string, quant::QuantizedTensor>& tensors,
                                   const ExportOptions& options = {});

/// tensors: the quantized weights by the name of the layer, see Ipq::tensors(). Weights that share a codebook
/// object share it in the file. All other parameters and buffers of the model are stored under their names,
/// rounded as the options say. A tensor that several modules share is stored once, and so are buffers with
/// equal values; the other names become aliases. metadata: entries of the model, such as
/// models::network_metadata(). Then sets the parameters and buffers of the model to the
/// stored values, so that it computes bit by bit what a reader of the file computes.
///
/// float16 represents a parameter well if every error is at most 2⁻¹¹ of the largest value of the tensor, and
/// a buffer (a variance may be tiny) if every error is at most 2⁻¹¹ of the value itself.
///
/// Throws invalid_argument for a tensor without a layer or of another shape, and io; the model is unchanged
/// then.
void export_compact(const OutputPath& path, torch::nn::Module& model,
                    const std::map<std::string, quant::QuantizedTensor>& tensors,
                    const ExportOptions& options = {}, const TensorMetadata& metadata = {});

}  // namespace parsimony::train
