#include "parsimony/models/image_task.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>
#include <set>

#include "expect_error.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::models {
namespace {

constexpr std::int64_t kSide = 8;

// Every pixel of an image is another value than 0, so that padding shows.
std::shared_ptr<ImageData> data(std::int64_t count) {
  auto out = std::make_shared<ImageData>();
  for (data::LabelledImages* images : {&out->training, &out->evaluation}) {
    images->height = images->width = kSide;
    images->classes = {"a", "b", "c"};
    const RandomStream random(1, "test.pixels");
    for (std::int64_t i = 0; i < count; ++i) {
      images->labels.push_back(i % 3);
      for (std::int64_t p = 0; p < images->values_per_image(); ++p) {
        const auto place = static_cast<std::uint64_t>(i * 1000 + p);
        images->pixels.push_back(static_cast<std::uint8_t>(1 + random.below(255, place)));
      }
    }
  }
  return out;
}

// The pixels that inputs stand for: black ones are 0.
torch::Tensor pixels(const torch::Tensor& inputs) {
  const torch::Tensor mean = torch::tensor({0.485f, 0.456f, 0.406f}).view({3, 1, 1});
  const torch::Tensor deviation = torch::tensor({0.229f, 0.224f, 0.225f}).view({3, 1, 1});
  return ((inputs * deviation + mean) * 255).round();
}

torch::Tensor image_of(const ImageData& images, std::int64_t i) {
  return torch::from_blob(const_cast<std::uint8_t*>(images.training.image(i).data()), {3, kSide, kSide},
                          torch::kByte)
      .to(torch::kFloat);
}

// Each image of a batch is a crop of the padded image, or of its mirror image; over many draws all of them.
TEST(ImageTask, BatchesAreMovedAndFlippedImages) {
  const auto images = data(4);
  ImageTask task({.depth = 8, .crop_padding = 1}, images);
  std::map<std::int64_t, int> counts;  // by the move
  const std::vector<std::int64_t> examples{2, 0, 2, 3};
  constexpr int kSteps = 200;
  for (int step = 0; step < kSteps; ++step) {
    const train::Batch batch = task.batch(examples, 7, step, 0);
    for (std::int64_t i = 0; i < 4; ++i) {
      EXPECT_EQ(batch.targets[i].item<std::int64_t>(), examples[i] % 3);
      const torch::Tensor got = pixels(batch.inputs[i]);
      int found = 0;
      for (std::int64_t move = 0; move < 18; ++move) {
        torch::Tensor image = image_of(*images, examples[i]);
        // The crop is flipped: padding is the same on both sides.
        image = torch::constant_pad_nd(image, {1, 1, 1, 1}).slice(1, move / 3 % 3, move / 3 % 3 + kSide);
        image = image.slice(2, move % 3, move % 3 + kSide);
        if (move >= 9) image = image.flip(2);
        if (!torch::equal(image, got)) continue;
        ++found;
        ++counts[move];
      }
      EXPECT_EQ(found, 1);
    }
  }
  // 800 draws of 18: each 44 times, within 5 standard deviations.
  ASSERT_EQ(counts.size(), 18);
  for (const auto& [move, count] : counts) EXPECT_NEAR(count, 800.0 / 18, 5 * std::sqrt(800.0 / 18)) << move;
}

TEST(ImageTask, BatchesAreOfSeedAndStep) {
  ImageTask task({.depth = 8}, data(6));
  const std::vector<std::int64_t> examples{0, 1, 2, 3, 4, 5};
  const torch::Tensor first = task.batch(examples, 1, 5, 0).inputs;
  task.batch(examples, 1, 6, 0);
  EXPECT_TRUE(torch::equal(task.batch(examples, 1, 5, 0).inputs, first));
  EXPECT_FALSE(torch::equal(task.batch(examples, 1, 6, 0).inputs, first));
  EXPECT_FALSE(torch::equal(task.batch(examples, 2, 5, 0).inputs, first));
}

TEST(ImageTask, EvaluatesPlainImagesInEvaluationMode) {
  const auto images = data(300);  // more than a batch
  ImageTask task({.depth = 8, .seed = 4}, images);
  const auto figures = task.evaluate();
  std::vector<torch::Tensor> all;
  for (std::int64_t i = 0; i < 300; ++i) all.push_back(image_of(*images, i));
  const torch::Tensor mean = torch::tensor({0.485f, 0.456f, 0.406f}).view({3, 1, 1});
  const torch::Tensor deviation = torch::tensor({0.229f, 0.224f, 0.225f}).view({3, 1, 1});
  const torch::NoGradGuard no_gradient;
  const torch::Tensor logits = task.forward((torch::stack(all) / 255 - mean) / deviation);
  const torch::Tensor labels = torch::tensor(images->training.labels);
  EXPECT_NEAR(figures.at("accuracy"), logits.argmax(1).eq(labels).to(torch::kDouble).mean().item<double>(),
              1.5 / 300);
  EXPECT_NEAR(figures.at("loss"), torch::nn::functional::cross_entropy(logits, labels).item<double>(), 1e-4);
  EXPECT_FALSE(task.model().is_training());
}

TEST(ImageTask, WeightsAreOfTheSeed) {
  const auto images = data(3);
  ImageTask one({.depth = 8, .seed = 1}, images), same({.depth = 8, .seed = 1}, images),
      other({.depth = 8, .seed = 2}, images);
  EXPECT_TRUE(torch::equal(one.model().parameters()[0], same.model().parameters()[0]));
  EXPECT_FALSE(torch::equal(one.model().parameters()[0], other.model().parameters()[0]));
  EXPECT_EQ(one.model().named_parameters()["linear.weight"].size(0), 3) << "the classes of the images";
  ImageTask integers({.depth = 8, .activation_bits = 4}, images);
  EXPECT_TRUE(integers.model().named_buffers().contains("conv1_input.range"));
  expect_error(ErrorCode::invalid_argument, "archive", [] { read_image_data({}, true); });
}

// Labels of a list are numbers: the network has the classes of ImageNet unless it is told.
TEST(ImageTask, ListedLabelsAreNumbersOfClasses) {
  auto images = data(3);
  for (data::LabelledImages* part : {&images->training, &images->evaluation}) {
    part->classes = {"0", "1", "2"};
    part->numbered = true;
  }
  images->training.classes.pop_back();
  const auto classes = [&](std::int64_t wanted) {
    ImageTask task({.depth = 8, .classes = wanted}, images);
    return task.forward(torch::zeros({1, 3, kSide, kSide})).size(1);
  };
  EXPECT_EQ(classes(0), 1000);
  EXPECT_EQ(classes(7), 7);
  expect_error(ErrorCode::invalid_argument, "must be at least 3", [&] { classes(2); });
}

// The last state is what the classifier reads.
TEST(ImageTask, StatesAreThoseOfTheBlocks) {
  const auto images = data(2);
  const auto expect_states = [&](const ImageTaskOptions& options, std::size_t blocks,
                                 const char* classifier) {
    ImageTask task(options, images);
    task.model().eval();
    const torch::NoGradGuard no_gradient;
    const torch::Tensor inputs = torch::randn({2, 3, 32, 32});
    const train::Outputs out = task.forward_with_states(inputs);
    EXPECT_TRUE(torch::equal(out.logits, task.forward(inputs)));
    ASSERT_EQ(out.states.size(), blocks + 1);
    for (std::size_t i = 0; i < blocks; ++i) EXPECT_EQ(out.states[i].dim(), 4);
    const auto parameters = task.model().named_parameters();
    const std::string name = classifier;
    const torch::Tensor logits =
        torch::addmm(parameters[name + ".bias"], out.states.back(), parameters[name + ".weight"].t());
    EXPECT_LE((logits - out.logits).abs().max().item<float>(), 1e-5);
  };
  expect_states({.depth = 14}, 6, "linear");
  expect_states({.network = ImageNetwork::efficientnet_lite0}, 16, "classifier");
}

TEST(ImageTask, DropoutOfAnEfficientNetCanBeLeftOut) {
  const auto images = data(2);
  const auto same_twice = [&](double dropout) {
    ImageTask task({.network = ImageNetwork::efficientnet_lite0, .dropout = dropout}, images);
    task.model().train();
    const torch::NoGradGuard no_gradient;
    const torch::Tensor inputs = torch::randn({2, 3, 32, 32});
    return torch::equal(task.forward(inputs), task.forward(inputs));
  };
  EXPECT_TRUE(same_twice(0));
  EXPECT_FALSE(same_twice(-1)) << "by the network";
}

// An EfficientNet-Lite reads (value − 127) / 128.
TEST(ImageTask, NormalizationIsThatOfTheNetwork) {
  const auto images = data(2);
  ImageTask task({.network = ImageNetwork::efficientnet_lite0, .crop_padding = 0, .flip = false}, images);
  const std::vector<std::int64_t> examples{1};
  const torch::Tensor inputs = task.batch(examples, 1, 0, 0).inputs[0];
  EXPECT_LE((inputs - (image_of(*images, 1) - 127) / 128).abs().max().item<float>(), 1e-6);
  task.model().eval();
  EXPECT_EQ(task.forward(inputs.unsqueeze(0).repeat({1, 1, 4, 4})).size(1), 3);
}

}  // namespace
}  // namespace parsimony::models
