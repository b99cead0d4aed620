#include "parsimony/train/integer_activation.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "expect_error.hpp"
#include "parsimony/models/resnet.hpp"
#include "parsimony/models/transformer.hpp"
#include "parsimony/models/weights.hpp"
#include "temporary_directory.hpp"

namespace parsimony::train {
namespace {

// φ(x) = (clamp(round(x / s + z), 0, 2^bits − 1) − z) s, the range [least, greatest] with 0 in it.
torch::Tensor by_formula(const torch::Tensor& x, int bits) {
  const double low = std::min(0.0, x.min().item<double>()), high = std::max(0.0, x.max().item<double>());
  const double levels = std::pow(2, bits) - 1, s = (high - low) / levels, z = -std::round(low / s);
  return ((x.to(torch::kDouble) / s + z).round().clamp(0, levels) - z) * s;
}

TEST(IntegerActivation, IsTheFormulaOfItsRange) {
  torch::manual_seed(1);
  for (const int bits : {2, 4, 8}) {
    for (const double shift : {0.0, 0.7, 5.0, -5.0}) {  // 5: no value has the other sign
      IntegerActivation activation(bits);
      const torch::Tensor x = torch::randn({40, 7}) + shift;
      const torch::Tensor y = activation(x);
      const double step =
          (activation->range[1] - activation->range[0]).item<double>() / (std::pow(2, bits) - 1);
      // A value halfway between two integers may go to either.
      const torch::Tensor apart = (y.to(torch::kDouble) - by_formula(x, bits)).abs();
      EXPECT_LE(apart.gt(1e-5).sum().item<std::int64_t>(), 2);
      EXPECT_LE(apart.max().item<double>(), 1.0001 * step);
      EXPECT_LE(std::get<0>(torch::_unique(y)).numel(), std::pow(2, bits));
      EXPECT_EQ(activation(torch::zeros({1})).item<float>(), 0) << "padding is exact";
    }
  }
  for (const int bits : {1, 9}) {
    expect_error(ErrorCode::invalid_argument, "activation_bits", [&] { IntegerActivation{bits}; });
  }
}

TEST(IntegerActivation, EvaluationDependsOnTheSavedRangeAlone) {
  torch::manual_seed(2);
  IntegerActivation activation(4);
  const torch::Tensor x = torch::randn({100}), larger = 10 * x;
  activation->eval();
  EXPECT_TRUE(torch::equal(activation(x), x)) << "no range yet";
  activation->train();
  activation(x);
  const torch::Tensor first = activation->range.clone();
  activation(larger);  // a tenth of the way
  EXPECT_TRUE(torch::allclose(activation->range, first + 0.1 * (10 * first - first)));
  activation->eval();
  const torch::Tensor kept = activation->range.clone(), y = activation(x);
  activation(larger);
  EXPECT_TRUE(torch::equal(activation->range, kept));
  EXPECT_TRUE(torch::equal(activation(x), y));
}

TEST(IntegerActivation, GradientsGoStraightThroughWithinTheRange) {
  IntegerActivation activation(3);
  activation(torch::tensor({-1.0f, 2.0f}));
  activation->eval();
  torch::Tensor x = torch::tensor({-3.0f, -0.4f, 0.3f, 1.9f, 2.5f}, torch::requires_grad());
  activation(x).sum().backward();
  EXPECT_TRUE(torch::equal(x.grad(), torch::tensor({0.0f, 1.0f, 1.0f, 1.0f, 0.0f})));
}

// Models whose layers read integers: the weights of a float network fit, ranges are learned from batches and
// are in the file, and with 8 bits the answers are nearly those of floats; with 2 they are not.
template <class Model, class Options>
void check_model(Options options, const torch::Tensor& inputs, std::int64_t ranges) {
  const TemporaryDirectory directory;
  torch::manual_seed(3);
  const auto floats = std::make_shared<Model>(options);
  floats->eval();
  models::save_weights(*floats, directory / "floats");
  const torch::Tensor right = floats->forward(inputs);
  for (const int bits : {2, 8}) {
    options.activation_bits = bits;
    const auto model = std::make_shared<Model>(options);
    model->eval();
    models::load_weights(*model, directory / "floats");
    EXPECT_TRUE(torch::equal(model->forward(inputs), right)) << "no ranges yet";
    EXPECT_EQ(calibrate_activations(*model, [&] { model->forward(inputs); }), ranges);
    EXPECT_FALSE(model->is_training());
    const torch::Tensor y = model->forward(inputs);
    const double error = ((y - right).norm() / (right - right.mean()).norm()).template item<double>();
    EXPECT_EQ(error < 0.05, bits == 8) << error;
    models::save_weights(*model, directory / "integers");
    const auto again = std::make_shared<Model>(options);
    again->eval();
    models::load_weights(*again, directory / "integers");
    EXPECT_TRUE(torch::equal(again->forward(inputs), y));
  }
  // An exception leaves all ranges as they were, and so does a pass that reaches nothing.
  options.activation_bits = 8;
  const auto kept = std::make_shared<Model>(options);
  EXPECT_FALSE(uncalibrated_activation(*kept).empty());
  calibrate_activations(*kept, [&] { kept->forward(inputs); });
  EXPECT_TRUE(uncalibrated_activation(*kept).empty());
  EXPECT_THROW(calibrate_activations(*kept,
                                     [&] {
                                       kept->forward(inputs);
                                       throw std::runtime_error("stop");
                                     }),
               std::runtime_error);
  EXPECT_TRUE(kept->is_training()) << "as it was";
  EXPECT_TRUE(uncalibrated_activation(*kept).empty());
  kept->eval();
  const torch::Tensor evaluated = kept->forward(inputs);
  calibrate_activations(*kept, [] {});
  EXPECT_TRUE(torch::equal(kept->forward(inputs), evaluated));
  EXPECT_EQ(calibrate_activations(*floats, [] { FAIL() << "nothing to calibrate"; }), 0);
}

TEST(IntegerActivation, ResNetsReadIntegers) {
  check_model<models::ResNet>(models::ResNetOptions{.depth = 8}, torch::randn({4, 3, 16, 16}), 8);
}

TEST(IntegerActivation, TransformersReadIntegers) {
  const torch::Tensor tokens = torch::randint(30, {3, 12}, torch::kLong);
  for (const bool tied : {false, true}) {
    check_model<models::Transformer>(models::TransformerOptions{.vocabulary = 30,
                                                                .context = 12,
                                                                .layers = 2,
                                                                .width = 16,
                                                                .heads = 2,
                                                                .feed_forward = 32,
                                                                .tied_embeddings = tied},
                                     tokens, 9);
  }
}

}  // namespace
}  // namespace parsimony::train
