#include "parsimony/run/pictures.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "expect_error.hpp"
#include "parsimony/core/memory.hpp"
#include "small_efficientnet.hpp"
#include "temporary_directory.hpp"

namespace parsimony::run::pictures_test {
namespace {

constexpr std::int64_t kSide = 40, kClasses = 6;

int color(int picture, std::int64_t y, std::int64_t x, int c) {
  return static_cast<int>((picture * 71 + y * (3 + c) + x * (5 - picture)) % 256);
}

void write_picture(const std::filesystem::path& path, int picture) {
  std::ofstream file(path, std::ios::binary);
  file << "P6 " << kSide << " " << kSide << " 255\n";
  for (std::int64_t y = 0; y < kSide; ++y) {
    for (std::int64_t x = 0; x < kSide; ++x) {
      for (int c = 0; c < 3; ++c) file.put(static_cast<char>(color(picture, y, x, c)));
    }
  }
}

class Pictures : public ::testing::Test {
 protected:
  Pictures() {
    write_efficientnet(model_, data::EfficientNetVariant::lite0, kClasses);
    std::filesystem::create_directories(directory_ / "p");
    for (const int picture : {0, 1, 2}) {
      write_picture(directory_ / "p" / (std::to_string(picture) + ".ppm"), picture);
    }
  }

  // The logits of a picture that needs no resizing, normalized by hand.
  Matrix<float> logits(int picture) const {
    Matrix<float> image(1, 3 * kSide * kSide);
    for (int c = 0; c < 3; ++c) {
      for (std::int64_t i = 0; i < kSide * kSide; ++i) {
        image(0, c * kSide * kSide + i) =
            (static_cast<float>(color(picture, i / kSide, i % kSide, c)) - 127) / 128;
      }
    }
    return load_image_network(model_).classify(image, kSide, kSide);
  }

  const TemporaryDirectory directory_;
  const std::filesystem::path model_ = directory_ / "m.safetensors";
  const PictureOptions options_{{}, {.side = kSide, .crop_from = kSide, .top = 3}};
};

TEST_F(Pictures, GuessesAreTheLargestProbabilities) {
  const PictureRun run = run_pictures(model_, directory_ / "p", options_);
  EXPECT_EQ(run.names, (std::vector<std::string>{"0.ppm", "1.ppm", "2.ppm"}));
  EXPECT_EQ(run.classes, kClasses);
  EXPECT_TRUE(run.class_names.empty());
  EXPECT_EQ(run.report.find_figure<double>("top1"), nullptr);
  for (int picture = 0; picture < 3; ++picture) {
    const Matrix<float> right = logits(picture);
    double sum = 0;
    for (const float value : right.values()) sum += std::exp(static_cast<double>(value));
    const auto& guesses = run.guesses[picture];
    ASSERT_EQ(guesses.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(guesses[i].probability, std::exp(right(0, guesses[i].label)) / sum, 1e-4);
      if (i > 0) {
        EXPECT_GE(guesses[i - 1].probability, guesses[i].probability);
      }
    }
    const auto most = std::max_element(right.values().begin(), right.values().end());
    EXPECT_EQ(guesses[0].label, most - right.values().begin());
  }
}

TEST_F(Pictures, LabelsGiveTheShareOfRightOnes) {
  const PictureRun blind = run_pictures(model_, directory_ / "p", options_);
  const std::int64_t wrong = (blind.guesses[1][0].label + 1) % kClasses;
  std::ofstream(directory_ / "p" / "labels.txt")
      << "0.ppm " << blind.guesses[0][0].label << "\n1.ppm " << wrong << "\n";
  const PictureRun run = run_pictures(model_, directory_ / "p", options_);
  EXPECT_EQ(run.names.size(), 2U);
  EXPECT_EQ(run.report.figure<std::int64_t>("labelled"), 2);
  EXPECT_EQ(run.report.figure<double>("top1"), 0.5);
}

TEST_F(Pictures, TakesOnePictureAndNamesOfClasses) {
  std::ofstream(directory_ / "labels.txt") << "cat\r\ndog\nhorse\nbird\nfrog\nship\n";
  const PictureRun run = run_pictures(model_, directory_ / "p" / "2.ppm", options_);
  EXPECT_EQ(run.names, std::vector<std::string>{"2.ppm"});
  EXPECT_EQ(run.class_names[0], "cat");
  EXPECT_EQ(run.guesses[0][0].label, run_pictures(model_, directory_ / "p", options_).guesses[2][0].label);
  std::ofstream(directory_ / "labels.txt") << "cat\ndog\n";
  expect_error(ErrorCode::format, "has 2 lines; must have 6",
               [&] { run_pictures(model_, directory_ / "p", options_); });
}

// Before they are read: three pictures of 4096 × 4096 are 151 MB.
TEST_F(Pictures, CountsTheMemoryOfTheirPixels) {
  Context context(1);
  context.memory.bytes = memory_in_use() + (std::int64_t{120} << 20);
  expect_error(ErrorCode::memory_limit, "the pixels of the pictures",
               [&] { run_pictures(model_, directory_ / "p", {.input = {.side = 4096}}, context); });
}

}  // namespace
}  // namespace parsimony::run::pictures_test
