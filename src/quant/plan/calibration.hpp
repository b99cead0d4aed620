// Importance of the values of weights from inputs of their layers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/quant/compress.hpp"
#include "quant/codes/error_feedback.hpp"

namespace parsimony::quant {

/// The inputs of one layer.
struct LayerInputs {
  /// In a form that WeightView takes; empty: every value counts the same. One value per value of the weight
  /// where the inputs have the channels of several groups, or of a weight that has its inputs first.
  std::vector<float> importance;
  std::string found;  ///< name of the tensor of the calibration; empty: there is none
  /// m.input, if all outputs see all its channels and nothing else, so that its moments can lead the choice
  /// of codes; its dimension `axis` counts the channels.
  const TensorView* samples = nullptr;
  std::size_t axis = 0;
  bool dead = false;  ///< all inputs are 0, so that they say nothing, and importance is empty
};

/// Looks for inputs of a weight. Throws format, naming the tensor, for inputs that do not fit the weight.
LayerInputs inputs_of(const TensorInfo& weight, const SafetensorsFile& calibration);

/// The same for weight w of a recipe, also by the names of the tensors that are tied to it.
LayerInputs inputs_of(const CompactRecipe& recipe, std::size_t w, const ModelTensors& model,
                      const SafetensorsFile& calibration);

/// How integer codes of weight w of a recipe make up for each other's errors: none without option feedback,
/// without samples of the layer, or with more than kMostFeedbackInputs inputs.
std::optional<ErrorFeedback> feedback_of(const CompactRecipe& recipe, std::size_t w,
                                         const ModelTensors& model, const CompressOptions& options,
                                         const Context& context);

/// The importance of each weight of a recipe. A weight without inputs is looked for by the names of the
/// tensors that are tied to it. Logs warnings that name the weights without inputs, those whose inputs are
/// all 0, and inputs that belong to no tensor of the model. Throws format if no weight has an input, and what
/// inputs_of throws.
std::vector<std::vector<float>> importance_of_weights(const CompactRecipe& recipe, const ModelTensors& model,
                                                      const std::optional<SafetensorsFile>& calibration,
                                                      const Context& context);

}  // namespace parsimony::quant
