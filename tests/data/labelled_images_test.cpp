#include "parsimony/data/labelled_images.hpp"

#include <gtest/gtest.h>

#include "core/files/zip.hpp"
#include "data/jpeg_file.hpp"
#include "expect_error.hpp"
#include "places.hpp"
#include "temporary_directory.hpp"

namespace parsimony::data::labelled_images_test {
namespace {

constexpr Color kRed{200, 30, 40}, kGreen{20, 180, 60}, kBlue{10, 20, 220}, kGrey{128, 128, 128};

std::vector<std::pair<std::string, std::string>> small_archive() {
  return {{"test/cat/9.jpg", jpeg(16, 8, kGrey, kGrey)},    {"train/dog/1.jpg", jpeg(16, 8, kBlue, kRed)},
          {"train/cat/2.jpg", jpeg(16, 8, kGreen, kGreen)}, {"README.md", "no image"},
          {"train/cat/1.jpeg", jpeg(16, 8, kRed, kBlue)},   {"train/cat/deep/3.jpg", "not looked at"}};
}

// A JPEG of highest quality is within a few levels of what it was.
void expect_color(const LabelledImages& images, std::int64_t i, std::int64_t x, Color color) {
  for (std::int64_t c = 0; c < 3; ++c) {
    for (std::int64_t y = 0; y < images.height; ++y) {
      EXPECT_NEAR(images.image(i)[(c * images.height + y) * images.width + x], color[c], 4)
          << "image " << i << ", channel " << c << ", row " << y;
    }
  }
}

TEST(LabelledImages, AreThoseOfTheSplitInTheOrderOfTheirNames) {
  const TemporaryDirectory directory;
  const auto path = directory.file("a.zip", make_zip(small_archive()));
  const LabelledImages images = read_labelled_images(path, "train");
  EXPECT_EQ(images.classes, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(images.labels, (std::vector<std::int64_t>{0, 0, 1}));
  EXPECT_EQ(images.width, 16);
  EXPECT_EQ(images.height, 8);
  expect_color(images, 0, 1, kRed);
  expect_color(images, 0, 14, kBlue);
  expect_color(images, 1, 7, kGreen);
  expect_color(images, 2, 1, kBlue);
  expect_color(images, 2, 14, kRed);
  EXPECT_EQ(read_labelled_images(path, "test").size(), 1);
}

TEST(LabelledImages, DependNeitherOnTheOrderOfTheArchiveNorOnThreads) {
  const TemporaryDirectory directory;
  auto members = small_archive();
  const LabelledImages first = read_labelled_images(directory.file("a.zip", make_zip(members)), "train");
  std::reverse(members.begin(), members.end());
  for (const int threads : {1, 2, 3, 8}) {
    const LabelledImages other =
        read_labelled_images(directory.file("b.zip", make_zip(members)), "train", Context(threads));
    EXPECT_EQ(first.pixels, other.pixels);
    EXPECT_EQ(first.labels, other.labels);
  }
}

TEST(LabelledImages, ThatAreWrongAreNamed) {
  const TemporaryDirectory directory;
  const auto read = [&](const std::vector<std::pair<std::string, std::string>>& members) {
    return [&directory, members] {
      read_labelled_images(directory.file("wrong.zip", make_zip(members)), "train");
    };
  };
  const std::string good = jpeg(16, 8, kRed, kGreen);
  expect_error(ErrorCode::invalid_argument, "train/<class>/*.jpg", read({{"train/1.jpg", good}}));
  expect_error(ErrorCode::format, "train/a/2.jpg: 8 × 8",
               read({{"train/a/1.jpg", good}, {"train/a/2.jpg", jpeg(8, 8, kRed, kRed)}}));
  expect_error(ErrorCode::format, "train/a/2.jpg: broken JPEG",
               read({{"train/a/1.jpg", good}, {"train/a/2.jpg", "GIF89a"}}));
  // 65,000 × 65,000 pixels in the header of a small file: refused before there is memory for them.
  std::string huge = good;
  const std::size_t frame = huge.find("\xff\xc0");
  ASSERT_NE(frame, huge.npos);
  for (const std::size_t at : {5, 6, 7, 8}) huge[frame + at] = static_cast<char>(0xfd);
  expect_error(ErrorCode::format, "cannot be in", read({{"train/a/1.jpg", huge}}));
}

TEST(LabelledImages, CutAnywhereAreAnError) {
  const TemporaryDirectory directory;
  const std::string good = jpeg(16, 8, kRed, kGreen);
  for (std::size_t size = 0; size + 2 < good.size(); ++size) {  // the two last bytes only mark the end
    const auto path = directory.file("cut.zip", make_zip({{"train/a/1.jpg", good.substr(0, size)}}));
    expect_error(ErrorCode::format, "train/a/1.jpg", [&] { read_labelled_images(path, "train"); });
  }
}

TEST(LabelledImages, OfCifar10AreAllThere) {
  const std::filesystem::path path = places::data_folder() / "networks/cifar10-jpeg.zip";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is missing";
  const LabelledImages images = read_labelled_images(path, "test");
  EXPECT_EQ(images.classes, (std::vector<std::string>{"airplane", "automobile", "bird", "cat", "deer", "dog",
                                                      "frog", "horse", "ship", "truck"}));
  EXPECT_EQ(images.width, 32);
  EXPECT_EQ(images.height, 32);
  ASSERT_EQ(images.size(), 10000);
  for (std::int64_t i = 0; i < images.size(); ++i) ASSERT_EQ(images.labels[i], i / 1000);
}

}  // namespace
}  // namespace parsimony::data::labelled_images_test
