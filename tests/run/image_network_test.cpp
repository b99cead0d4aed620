#include "parsimony/run/image_network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "expect_error.hpp"
#include "largest_error.hpp"
#include "parsimony/quant/compress.hpp"
#include "small_efficientnet.hpp"
#include "temporary_directory.hpp"

namespace parsimony::run::image_network_test {
namespace {

using data::EfficientNetVariant;

std::vector<float> as_vector(const Matrix<float>& values) {
  return {values.values().begin(), values.values().end()};
}

// Images like those of references/efficientnet.py.
Matrix<float> some_images(std::int64_t count, std::int64_t height, std::int64_t width) {
  Matrix<float> out(count, 3 * height * width);
  const std::vector<double> numbers = references::reference_numbers("images", out.size());
  for (std::int64_t i = 0; i < out.size(); ++i) out.data()[i] = 8 * static_cast<float>(numbers[i]);
  return out;
}

// Lite0 is a part of Lite1, and the widths of Lite1 and B1 are those of Lite0 and B0.
TEST(ImageNetwork, AVariantIsNotTakenForAPartOfIt) {
  const TemporaryDirectory directory;
  for (const EfficientNetVariant variant : {EfficientNetVariant::lite0, EfficientNetVariant::lite1,
                                            EfficientNetVariant::lite2, EfficientNetVariant::b1}) {
    write_efficientnet(directory / "m.safetensors", variant, 2);
    EXPECT_EQ(load_image_network(directory / "m.safetensors").variant(), variant) << enum_name(variant);
  }
}

// References are for images of odd and even sides, B0, B1, B3, Lite0 and Lite3, both paddings.
TEST(ImageNetwork, LogitsAreThoseOfTimm) {
  const TemporaryDirectory directory;
  const nlohmann::json figures = efficientnet_figures();
  const std::int64_t height = figures["shape"][2], width = figures["shape"][3];
  const Matrix<float> images = some_images(figures["shape"][0], height, width);
  for (const auto& reference : figures["logits"]) {
    const std::string name = reference["variant"];
    SCOPED_TRACE(name);
    write_efficientnet(directory / "m.safetensors", variant_named(name), figures["classes"]);
    const bool same = reference["padding"] == "same";
    const ImageNetwork network = load_image_network(directory / "m.safetensors", {},
                                                    same ? PaddingChoice::same : PaddingChoice::symmetric);
    EXPECT_EQ(enum_name(network.variant()), name);
    EXPECT_EQ(network.classes(), figures["classes"]);
    EXPECT_LE(largest_error(network.classify(images, height, width).values(),
                            reference["logits"].get<std::vector<float>>()),
              1e-4);
  }
}

// The padding is that of the architecture in timm's config.json; without one, it is TensorFlow's.
TEST(ImageNetwork, ReadsThePaddingOfTimm) {
  const TemporaryDirectory directory;
  write_efficientnet(directory / "model.safetensors", EfficientNetVariant::lite0, 5);
  const auto padding = [&] { return load_image_network(directory / "model.safetensors").padding(); };
  EXPECT_EQ(padding(), data::ConvolutionPadding::same);
  const auto write_config = [&](const char* text) { std::ofstream(directory / "config.json") << text; };
  write_config(R"({"architecture": "efficientnet_lite0"})");
  EXPECT_EQ(padding(), data::ConvolutionPadding::symmetric);
  write_config(R"({"architecture": "tf_efficientnet_lite0"})");
  EXPECT_EQ(padding(), data::ConvolutionPadding::same);
  write_config(R"({"architecture": "resnet18"})");
  expect_error(ErrorCode::format, "must be an EfficientNet", padding);
  write_config("[");
  expect_error(ErrorCode::format, "must be a JSON object", padding);
}

struct Files {
  std::filesystem::path codes, floats;
};

Files compact_network(const TemporaryDirectory& directory, EfficientNetVariant variant,
                      const std::string& scheme) {
  Files out{directory / (scheme + "c.safetensors"), directory / (scheme + "f.safetensors")};
  write_efficientnet(directory / "m.safetensors", variant, 40);
  quant::CompressOptions options;
  options.scheme = scheme;
  options.range = quant::RangeRule::min_max;
  quant::compress(directory / "m.safetensors", out.codes, options);
  quant::dequantize(out.codes, out.floats);
  return out;
}

TEST(ImageNetwork, ExactIsTheNetworkWithDecodedWeights) {
  const Matrix<float> images = some_images(1, 64, 64);
  for (const auto& [variant, scheme] :
       {std::pair{EfficientNetVariant::b0, "int8"}, std::pair{EfficientNetVariant::lite0, "int4g64"}}) {
    SCOPED_TRACE(scheme);
    const TemporaryDirectory directory;
    const Files files = compact_network(directory, variant, scheme);
    const ImageNetwork floats = load_image_network(files.floats);
    const ImageNetwork codes = load_image_network(files.codes, {.precision = Precision::exact});
    EXPECT_EQ(floats.in_codes(), 0);
    EXPECT_GE(codes.in_codes(), 30);
    EXPECT_LT(codes.bytes(), floats.bytes() / 2);
    const std::vector<float> right = as_vector(floats.classify(images, 64, 64));
    EXPECT_LE(largest_error(codes.classify(images, 64, 64).values(), right), 1e-5);
    for (const Precision precision : {Precision::integers8, Precision::integers7, Precision::integers6}) {
      const ImageNetwork fast = load_image_network(files.codes, {.precision = precision});
      const double error = largest_error(fast.classify(images, 64, 64).values(), right);
      EXPECT_LE(error, 0.1) << enum_name(precision);
      EXPECT_GT(error, 0);
    }
  }
}

TEST(ImageNetwork, SameBytesForAnyNumberOfThreads) {
  const TemporaryDirectory directory;
  const Files files = compact_network(directory, EfficientNetVariant::b0, "int8");
  const Matrix<float> images = some_images(2, 96, 80);
  for (const std::filesystem::path& file : {files.codes, files.floats}) {
    const ImageNetwork network = load_image_network(file);
    const std::vector<float> one = as_vector(network.classify(images, 96, 80, Context(1)));
    for (const int threads : {2, 3}) {
      EXPECT_EQ(as_vector(network.classify(images, 96, 80, Context(threads))), one) << threads;
    }
  }
}

TEST(ImageNetwork, FoldedNormsGiveTheSameLogits) {
  const TemporaryDirectory directory;
  write_efficientnet(directory / "m.safetensors", EfficientNetVariant::lite0, 7);
  const Matrix<float> images = some_images(1, 40, 40);
  std::vector<float> first;
  for (const bool fold : {false, true}) {
    quant::CompressOptions options;
    options.scheme = "int8";
    options.range = quant::RangeRule::min_max;
    options.fold_batch_norm = fold;
    options.batch_norm_epsilon = 1e-3;
    quant::compress(directory / "m.safetensors", directory / "c.safetensors", options);
    const std::vector<float> logits =
        as_vector(load_image_network(directory / "c.safetensors", {.precision = Precision::exact})
                      .classify(images, 40, 40));
    if (fold) {
      EXPECT_LE(largest_error(logits, first), 1e-4);
    }
    first = logits;
  }
}

TEST(ImageNetwork, RefusesImagesThatItCannotTake) {
  const TemporaryDirectory directory;
  write_efficientnet(directory / "m.safetensors", EfficientNetVariant::lite0, 2);
  const ImageNetwork network = load_image_network(directory / "m.safetensors");
  EXPECT_EQ(network.classify(some_images(0, 32, 32), 32, 32).rows(), 0);
  expect_error(ErrorCode::invalid_argument, "must have 32 to 4096",
               [&] { network.classify(some_images(1, 31, 40), 31, 40); });
  expect_error(ErrorCode::invalid_argument, "must have 3 planes of 40 × 32",
               [&] { network.classify(some_images(1, 32, 32), 40, 32); });
}

// Each file differs from the network in one tensor.
TEST(ImageNetwork, RefusesFilesThatAreNotItsNetwork) {
  const TemporaryDirectory directory;
  const std::vector<NamedShape> right =
      efficientnet_tensors(data::efficientnet_shape(EfficientNetVariant::lite0), 2);
  const auto file = directory / "m.safetensors";
  const auto load = [&] { load_image_network(file); };
  for (std::size_t i = 0; i < right.size(); i += 41) {
    std::vector<NamedShape> fewer = right;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    write_reference_tensors(file, fewer);
    expect_error(ErrorCode::format, right[i].name, load);
    std::vector<NamedShape> other = right;
    other[i].shape[0] += 1;
    write_reference_tensors(file, other);
    expect_error(ErrorCode::format, "in EfficientNet lite0, the nearest variant", load);
  }
  std::vector<NamedShape> more = right;
  more.push_back({"blocks.6.1.conv_dw.weight", {1152, 1, 3, 3}});
  write_reference_tensors(file, more);
  expect_error(ErrorCode::format, "nearest variant", load);
  more.back() = {"blocks.2.0.se.conv_reduce.weight", {6, 144, 1, 1}};
  write_reference_tensors(file, more);
  expect_error(ErrorCode::format, "in EfficientNet b0", load);
  write_reference_tensors(file, {{"classifier.weight", {0, 1280}}});
  expect_error(ErrorCode::format, "classifier.weight", load);
}

TEST(ImageNetworkData, LogitsAreThoseOfThePublishedModel) {
  const std::filesystem::path networks = places::data_folder() / "networks";
  for (const char* name : {"efficientnet_lite0.safetensors", "efficientnet_lite0-reference.safetensors"}) {
    if (!std::filesystem::exists(networks / name)) GTEST_SKIP() << (networks / name) << " is missing";
  }
  const ImageNetwork network = load_image_network(networks / "efficientnet_lite0.safetensors");
  const SafetensorsFile reference(networks / "efficientnet_lite0-reference.safetensors");
  std::vector<float> input = float32_values(reference.at("input"));
  const Matrix<float> logits = network.classify({input.data(), 4, 3 * 224 * 224}, 224, 224);
  EXPECT_LE(largest_error(logits.values(), float32_values(reference.at("logits"))), 1e-4);
}

}  // namespace
}  // namespace parsimony::run::image_network_test
