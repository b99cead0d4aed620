// A trained network as a compact file.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "parsimony/core/options.hpp"
#include "parsimony/quant/compact_file.hpp"

namespace torch::nn {
class Module;
}

namespace parsimony::train {

/// How what is not in codes lies in the file.
enum class OtherTensors {
  float32,
  float16,  ///< those that float16 holds well
  int8      ///< the same, and of what has several dimensions integers of 8 bits per output
};

constexpr auto names_of(OtherTensors) {
  using enum OtherTensors;
  return enum_names<OtherTensors>({{float32, "float32"}, {float16, "float16"}, {int8, "int8"}});
}

struct ExportOptions {
  OtherTensors others = OtherTensors::float16;
  bool deflate_header = false;  ///< CompactRecipe::deflated, for small models
};

template <OptionsOf<ExportOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"others", "type of what is not in codes"}, options.others);
  visit(Field{"deflate_header", "for small models: the names and shapes deflated"}, options.deflate_header);
}

/// What export_compact would write, of which quant::planned_size is the size to the byte.
quant::CompactRecipe export_recipe(torch::nn::Module& model,
                                   const std::map<std::string, quant::QuantizedTensor>& tensors,
                                   const ExportOptions& options = {});

/// tensors: by the name of the layer (those of Ipq), its weight in codes; codebooks that are one object lie
/// in the file once. Everything else are the parameters and buffers of the model as they are, under their
/// names, rounded as the options say; one that several modules share and buffers of the same values once, the
/// other names as aliases. Then the parameters and buffers of the model are set to what the file holds, so
/// that it computes, bit by bit, what a reader of the file computes.
///
/// float16 holds a parameter well that it has to 2⁻¹¹ of the largest value of the tensor, and a buffer (a
/// variance may be tiny) that it has to 2⁻¹¹ of each value.
///
/// Throws invalid_argument for a tensor of no layer or of another shape, and io; the model is as it was then.
void export_compact(const std::filesystem::path& path, torch::nn::Module& model,
                    const std::map<std::string, quant::QuantizedTensor>& tensors,
                    const ExportOptions& options = {});

}  // namespace parsimony::train
