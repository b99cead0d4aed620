#include "parsimony/models/efficientnet.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "expect_error.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/models/weights.hpp"
#include "places.hpp"
#include "reference_values.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models::efficientnet_test {
namespace {

const std::filesystem::path kNetworks = places::data_folder() / "networks";

template <class Enum>
Enum named(const std::string& name) {
  for (const auto& [value, known] : names_of(Enum{})) {
    if (known == name) return value;
  }
  throw std::runtime_error(name);
}

torch::Tensor tensor(const SafetensorsFile& file, const char* name) {
  const TensorView& view = file.at(name);
  std::vector<float> values = float32_values(view);
  return torch::from_blob(values.data(), view.shape, torch::kFloat).clone();
}

// references/efficientnet.py computed the logits by timm, for images of odd and even sides.
TEST(EfficientNet, LogitsAreThoseOfTimm) {
  const nlohmann::json figures = reference_figures("efficientnet.json");
  const auto shape = figures["shape"].get<std::vector<std::int64_t>>();
  torch::Tensor images = torch::empty(shape);
  const std::vector<double> numbers = reference_numbers("images", images.numel());
  std::copy(numbers.begin(), numbers.end(), images.data_ptr<float>());
  images *= 8;
  const torch::NoGradGuard no_gradient;
  for (const auto& reference : figures["logits"]) {
    EfficientNet model({.variant = named<EfficientNetVariant>(reference["variant"]),
                        .classes = figures["classes"],
                        .padding = named<ConvolutionPadding>(reference["padding"])});
    fill_with_reference(model);
    model.eval();
    const torch::Tensor logits = model.forward(images);
    EXPECT_LE(reference_error(logits, reference["logits"]), 1e-4) << reference["variant"];
    EXPECT_GT((logits[0] - logits[1]).abs().max().item<float>(), 0.1 * logits.abs().max().item<float>());
  }
}

// B0 to B3 and the Lite ones; the others only have more of the same blocks.
TEST(EfficientNet, HasTimmsNumbersOfParameters) {
  const nlohmann::json parameters = reference_figures("efficientnet.json")["parameters"];
  for (const auto& [variant, name] : names_of(EfficientNetVariant{})) {
    if (name == "b4" || name == "b5" || name == "b6" || name == "b7") continue;
    std::int64_t count = 0;
    for (const torch::Tensor& p : EfficientNet({.variant = variant}).parameters()) count += p.numel();
    EXPECT_EQ(count, parameters[std::string(name)]) << name;
  }
}

// A skipped block leaves its input, the others are scaled so that the mean over many draws stays.
TEST(EfficientNet, DropConnectKeepsTheMean) {
  torch::manual_seed(1);
  EfficientNet model({.variant = EfficientNetVariant::lite0, .classes = 2, .dropout = 0});
  EfficientNet steady({.variant = EfficientNetVariant::lite0, .classes = 2, .dropout = 0, .drop_connect = 0});
  for (const auto& item : steady.named_parameters()) {
    item.value().set_data(model.named_parameters()[item.key()].detach());
  }
  const torch::NoGradGuard no_gradient;
  const torch::Tensor image = torch::randn({2, 3, 32, 32});
  const auto modes = [](EfficientNet& net) {  // statistics are those of a new network, not of the batch
    net.train();
    for (const auto& module : net.modules(false)) {
      if (module->as<train::JointBatchNorm2d>() != nullptr) module->eval();
    }
  };
  modes(model), modes(steady);
  const torch::Tensor expected = steady.forward(image);
  EXPECT_TRUE(torch::equal(expected, steady.forward(image)));
  std::int64_t different = 0;
  for (int draw = 0; draw < 8; ++draw) {
    different += torch::equal(model.forward(image), expected) ? 0 : 1;
  }
  EXPECT_GT(different, 4);
  model.eval(), steady.eval();
  EXPECT_TRUE(torch::equal(model.forward(image), steady.forward(image)));
}

TEST(EfficientNet, RefusesOptionsOutOfRange) {
  expect_error(ErrorCode::invalid_argument, "classes", [] { EfficientNet({.classes = 1}); });
  expect_error(ErrorCode::invalid_argument, "drop_connect", [] { EfficientNet({.drop_connect = 1}); });
}

TEST(EfficientNetData, LogitsAreThoseOfThePublishedModel) {
  for (const char* name : {"efficientnet_lite0.safetensors", "efficientnet_lite0-reference.safetensors"}) {
    if (!std::filesystem::exists(kNetworks / name)) GTEST_SKIP() << (kNetworks / name) << " is missing";
  }
  EfficientNet model;
  load_weights(model, kNetworks / "efficientnet_lite0.safetensors");
  model.eval();
  const torch::NoGradGuard no_gradient;
  const SafetensorsFile reference(kNetworks / "efficientnet_lite0-reference.safetensors");
  const torch::Tensor logits = model.forward(tensor(reference, "input"));
  EXPECT_LE((logits - tensor(reference, "logits")).abs().max().item<float>(), 1e-4);
}

}  // namespace
}  // namespace parsimony::models::efficientnet_test
