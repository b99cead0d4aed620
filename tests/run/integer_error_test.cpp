// The error of products in integers on the weights of a network for text, relative to the same codes in
// float32.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "parsimony/core/random.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/quant/integer_quantizer.hpp"
#include "parsimony/quant/packed_linear.hpp"
#include "parsimony/quant/weight_view.hpp"
#include "places.hpp"

namespace parsimony::run::integer_error_test {
namespace {

double relative_error(const quant::QuantizedTensor& weight, quant::TileProduct tiles,
                      const Matrix<float>& x) {
  const std::int64_t outputs = weight.shape[0];
  Matrix<float> right(x.rows(), outputs), y(x.rows(), outputs);
  quant::PackedLinear(weight, {}, {.switch_batch = 1}).multiply(x, right, Context(1));
  quant::PackedLinear(weight, {}, {.tiles = tiles, .switch_batch = 1}).multiply(x, y, Context(1));
  double apart = 0, all = 0;
  for (std::int64_t i = 0; i < y.size(); ++i) {
    apart += std::pow(static_cast<double>(y.data()[i]) - right.data()[i], 2);
    all += std::pow(static_cast<double>(right.data()[i]), 2);
  }
  return std::sqrt(apart / all);
}

Matrix<float> activations(std::int64_t inputs) {
  Matrix<float> x(16, inputs);
  RandomStream(1, "test.activations").fill_normal(x.values());
  return x;
}

TEST(IntegerErrorData, OfMiniLmsLayersIsSmall) {
  const auto path = places::data_folder() / "minilm" / "all-minilm-l6-v2-fp16.safetensors";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is missing";
  const SafetensorsFile file(path);
  double most8 = 0, most7 = 0;
  for (const std::int64_t layer : {0, 3, 5}) {
    for (const char* name : {"attention.self.query", "attention.self.value", "attention.output.dense",
                             "intermediate.dense", "output.dense"}) {
      const TensorView& tensor = file.at("encoder.layer." + std::to_string(layer) + "." + name + ".weight");
      const std::vector<float> values = float32_values(tensor);
      const Matrix<float> x = activations(tensor.shape[1]);
      for (const quant::IntegerOptions& options :
           {quant::IntegerOptions{},
            quant::IntegerOptions{.bits = 4, .group = 64, .levels = quant::LevelKind::nf4}}) {
        SCOPED_TRACE(tensor.name + ", " + std::to_string(options.bits) + " bits");
        const quant::QuantizedTensor weight =
            quant::integer_quantize({values, tensor.shape}, options, {}, Context(1));
        const double in8 = relative_error(weight, quant::TileProduct::integers8, x),
                     in7 = relative_error(weight, quant::TileProduct::integers7, x);
        // Levels are rounded to bytes, too.
        EXPECT_LE(in8, options.bits == 8 ? 0.008 : 0.01);
        EXPECT_LE(in7, 0.022);
        most8 = std::max(most8, in8);
        most7 = std::max(most7, in7);
      }
    }
  }
  RecordProperty("integers8", std::to_string(most8));
  RecordProperty("integers7", std::to_string(most7));
}

}  // namespace
}  // namespace parsimony::run::integer_error_test
