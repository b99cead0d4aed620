#include "parsimony/models/compress_for_images.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/files/zip.hpp"
#include "expect_error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/models/efficientnet.hpp"
#include "parsimony/models/resnet.hpp"
#include "parsimony/models/weights.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/decode.hpp"
#include "temporary_directory.hpp"

namespace parsimony::models::compress_for_images_test {
namespace {

constexpr int kSide = 16, kPictures = 40;  // two batches of 20

// Pictures of two random colours each, as PPM.
std::string pictures() {
  const RandomStream random(5, "test.pictures");
  std::vector<std::pair<std::string, std::string>> members;
  for (int i = 0; i < kPictures; ++i) {
    std::string bytes = "P6\n16 16\n255\n";
    for (int p = 0; p < kSide * kSide; ++p) {
      for (int c = 0; c < 3; ++c) {
        const auto place = static_cast<std::uint64_t>(6 * i + c + (p % kSide < 3 + i % 9 ? 0 : 3));
        bytes += static_cast<char>(random.below(256, place));
      }
    }
    members.emplace_back(std::to_string(100 + i) + ".ppm", bytes);
  }
  return make_zip(members);
}

torch::Tensor inputs(const std::string& archive) {
  const std::vector<ZipMember> members = list_zip(archive, "pictures");
  torch::Tensor out = torch::empty({kPictures, 3, kSide, kSide});
  for (int i = 0; i < kPictures; ++i) {
    const std::string bytes = unpack_zip(members[i], "pictures", 0);
    const std::size_t start = bytes.size() - 3 * kSide * kSide;
    for (int p = 0; p < kSide * kSide; ++p) {
      for (int c = 0; c < 3; ++c) {
        out[i][c][p / kSide][p % kSide] =
            static_cast<float>(static_cast<unsigned char>(bytes[start + 3 * p + c]));
      }
    }
  }
  const torch::Tensor mean = torch::tensor({0.485F, 0.456F, 0.406F}).view({3, 1, 1});
  const torch::Tensor deviation = torch::tensor({0.229F, 0.224F, 0.225F}).view({3, 1, 1});
  return (out / 255 - mean) / deviation;
}

class CompressForImages : public testing::Test {
 protected:
  CompressForImages() {
    torch::set_num_threads(1);  // small tensors gain nothing from more
    torch::manual_seed(3);
    images_ = directory_.file("pictures.zip", archive_);
    ResNet model({.depth = 8, .classes = 3});
    const torch::NoGradGuard no_gradient;
    for (int i = 0; i < 30; ++i) model.forward(inputs_);  // statistics of the pictures
    save_weights(model, model_);
    model.eval();
    logits_ = model.forward(inputs_);
  }

  ImageCorrectionOptions correction() const {
    return {.images = images_, .network = ImageNetwork::resnet, .depth = 8, .pictures = 0, .side = kSide};
  }
  torch::Tensor logits_of(const std::filesystem::path& file) const {
    ResNet model({.depth = 8, .classes = 3});
    load_weights(model, file);
    model.eval();
    const torch::NoGradGuard no_gradient;
    return model.forward(inputs_);
  }

  TemporaryDirectory directory_;
  std::string archive_ = pictures();
  torch::Tensor inputs_ = inputs(archive_), logits_;
  std::filesystem::path images_, model_ = directory_ / "model.safetensors";
};

// Statistics of the first batch norm can be computed by hand: they move by what the quantized stem makes of
// the pictures beside what the float stem makes of them. The means of the logits are those of the float
// network.
TEST_F(CompressForImages, StatisticsMoveByTheDifferenceThatTheCodesMake) {
  const auto small = directory_ / "small.safetensors", plain = directory_ / "plain.safetensors";
  const quant::CompressOptions options{.scheme = "int2"};
  const auto made = compress_for_images(model_, small, options, correction(), Context(1));
  ResNet net({.depth = 8, .classes = 3}), float_net({.depth = 8, .classes = 3});
  load_weights(net, small);
  load_weights(float_net, model_);
  const torch::NoGradGuard no_gradient;
  const auto stem = [&](ResNet& of) {
    return torch::conv2d(inputs_, of.named_parameters()["conv1.weight"], {}, 1, 1).transpose(0, 1).flatten(1);
  };
  const auto statistic = [](ResNet& of, const char* name) { return of.named_buffers()[name]; };
  const torch::Tensor mean =
      statistic(float_net, "bn1.running_mean") + stem(net).mean(1) - stem(float_net).mean(1);
  EXPECT_LE((mean - statistic(net, "bn1.running_mean")).abs().max().item<float>(), 1e-4);
  const auto variance = [&](ResNet& of) { return stem(of).view({16, 2, -1}).var(2).mean(1); };  // two batches
  const torch::Tensor right = statistic(float_net, "bn1.running_var") * variance(net) / variance(float_net);
  EXPECT_LE(((right - statistic(net, "bn1.running_var")) / right).abs().max().item<float>(), 1e-3);
  EXPECT_LE((logits_of(small).mean(0) - logits_.mean(0)).abs().max().item<float>(),
            1e-3 * logits_.abs().max().item<float>());

  quant::compress(model_, plain, options);
  const auto error = [&](const std::filesystem::path& file) {
    return (logits_of(file) - logits_).square().mean().item<float>();
  };
  EXPECT_LT(error(small), 0.5 * error(plain));
  EXPECT_EQ(std::filesystem::file_size(small), std::filesystem::file_size(plain));
  EXPECT_EQ(made.report.stages.front().name, "read");
}

// Without weights of errors the codes are those of a run without pictures, and so are all tensors but the
// statistics and the bias.
TEST_F(CompressForImages, CodesAreThoseOfCompressIfErrorsCountAlike) {
  ImageCorrectionOptions alike = correction();
  alike.weigh_inputs = false;
  compress_for_images(model_, directory_ / "small.safetensors", {.scheme = "int3"}, alike, Context(1));
  quant::compress(model_, directory_ / "plain.safetensors", {.scheme = "int3"});
  const auto small = quant::read_compact_file(directory_ / "small.safetensors");
  const auto plain = quant::read_compact_file(directory_ / "plain.safetensors");
  ASSERT_EQ(small.weights.size(), plain.weights.size());
  for (std::size_t i = 0; i < small.weights.size(); ++i) {
    EXPECT_EQ(quant::decode(small.weights[i]), quant::decode(plain.weights[i]));
  }
  for (std::size_t i = 0; i < small.others.size(); ++i) {
    const std::string& name = small.others[i].name;
    const bool same = std::ranges::equal(small.others[i].data, plain.others[i].data);
    EXPECT_EQ(!same, name.find("running_") != name.npos || name == "linear.bias") << name;
  }
}

// Depthwise convolutions have a moment for each input channel.
TEST_F(CompressForImages, TakesEfficientNets) {
  EfficientNet net({.variant = EfficientNetVariant::lite0, .classes = 3});
  save_weights(net, model_);
  ImageCorrectionOptions options = correction();
  options.network = ImageNetwork::efficientnet_lite0;
  options.pictures = 4;
  options.side = 32;
  const auto made =
      compress_for_images(model_, directory_ / "small.safetensors",
                          {.range = quant::RangeRule::min_max, .dry_run = true}, options, Context(1));
  EXPECT_LT(made.bytes, 4'000'000);
}

TEST_F(CompressForImages, RefusesWhatItCannotCorrect) {
  const auto out = directory_ / "small.safetensors";
  ImageCorrectionOptions none = correction();
  none.images.clear();
  expect_error(ErrorCode::invalid_argument, "images: must name",
               [&] { compress_for_images(model_, out, {}, none); });
  ImageCorrectionOptions deeper = correction();
  deeper.depth = 14;
  expect_error(ErrorCode::format, "are missing", [&] { compress_for_images(model_, out, {}, deeper); });
  compress_for_images(model_, out, {}, correction(), Context(1));
  expect_error(ErrorCode::format, "is a compact file",
               [&] { compress_for_images(out, directory_ / "again.safetensors", {}, correction()); });
  expect_error(ErrorCode::invalid_argument, "share and prune are for Transformers", [&] {
    compress_for_images(model_, out, {.share = quant::LayerSharing::pairs}, correction());
  });
}

}  // namespace
}  // namespace parsimony::models::compress_for_images_test
