// Which dimensions of the weights of a model are outputs.
#pragma once

#include <cstdint>
#include <map>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "parsimony/quant/compress.hpp"
#include "parsimony/quant/weight_axes.hpp"

namespace parsimony::quant {

/// A tensor as its codes see it, outputs first.
TensorInfo coded_info(const TensorInfo& weight, const WeightAxes& axes);

class AxisRules {
 public:
  /// Throws invalid_argument for a text that is not of the form of CompressOptions::axis.
  AxisRules(const CompressOptions& options, const ModelTensors& model);

  /// The axes of a weight of 2 to 5 dimensions, by the first rule that selects its name; otherwise by its
  /// name, its shape, the length of its bias, and for stacked matrices by the values.
  WeightAxes axes_of(const TensorView& weight) const;

 private:
  WeightAxes found_axes(const TensorView& weight) const;
  std::int64_t bias_of(const std::string& name) const;  // 0 if there is none

  std::vector<std::pair<std::regex, std::vector<int>>> rules_;  // outputs; none: found
  std::map<std::string, std::int64_t, std::less<>> vectors_;    // lengths of tensors of one dimension
  bool inputs_first_ = false;  // whether c_attn, c_fc and c_proj are those of GPT-2
};

}  // namespace parsimony::quant
