#include "parsimony/data/pictures.hpp"

#include <gtest/gtest.h>

#include <array>

#include "core/files/zip.hpp"
#include "data/jpeg_file.hpp"
#include "data/resample.hpp"
#include "expect_error.hpp"
#include "parsimony/core/image.hpp"
#include "places.hpp"
#include "temporary_directory.hpp"

namespace parsimony::data::pictures_test {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

constexpr Color kRed{200, 30, 40}, kBlue{10, 20, 220};

// A binary PPM whose pixel (x, y) is red x, green y, blue 7.
std::string ramp(int width, int height) {
  std::string out = "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n";
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) out += {static_cast<char>(x), static_cast<char>(y), 7};
  }
  return out;
}

int pixel(const LabelledImages& images, std::int64_t i, std::int64_t c, std::int64_t y, std::int64_t x) {
  return images.image(i)[(c * images.height + y) * images.width + x];
}

TEST(Pictures, LabelsComeFromTheListWhereverThePicturesLie) {
  const TemporaryDirectory directory;
  const Members members{{"b/two words.ppm", ramp(9, 9)},
                        {"a/one.jpg", jpeg(16, 16, kRed, kRed)},
                        {"a/not listed.jpg", "broken"},
                        {"labels.txt", "a/one.jpg\t3\r\n\ntwo words.ppm 1\n"}};
  const LabelledImages images =
      read_pictures(directory.file("a.zip", make_zip(members)), "train", {.side = 8});
  EXPECT_EQ(images.labels, (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(images.classes, (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_NEAR(pixel(images, 0, 0, 4, 4), kRed[0], 3);
  EXPECT_EQ(pixel(images, 1, 2, 0, 0), 7);
  // A folder of the same files is the same.
  for (const auto& [name, bytes] : members) {
    std::filesystem::create_directories((directory / ("f/" + name)).parent_path());
    directory.file("f/" + name, bytes);
  }
  for (const int threads : {1, 3}) {
    const LabelledImages same = read_pictures(directory / "f", "train", {.side = 8}, Context(threads));
    EXPECT_EQ(same.pixels, images.pixels);
    EXPECT_EQ(same.labels, images.labels);
  }
}

TEST(Pictures, FoldersOfASplitAreClassesAndWithoutASplitNothingIsLabelled) {
  const TemporaryDirectory directory;
  const auto path = directory.file("a.zip", make_zip({{"train/dog/1.PPM", ramp(8, 8)},
                                                      {"train/cat/2.ppm", ramp(9, 8)},
                                                      {"train/cat/._2.ppm", "of macOS"},
                                                      {"train/cat/deep/3.ppm", ramp(8, 8)},
                                                      {"test/dog/4.ppm", ramp(8, 8)}}));
  const LabelledImages split = read_pictures(path, "train", {.side = 8});
  EXPECT_EQ(split.labels, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(split.classes, (std::vector<std::string>{"cat", "dog"}));
  const LabelledImages all = read_pictures(path, "", {.side = 8});
  EXPECT_EQ(all.labels, (std::vector<std::int64_t>{-1, -1, -1, -1}));
  const LabelledImages two = read_pictures(path, "", {.side = 8, .count = 2});  // the first and the third
  EXPECT_EQ(two.size(), 2);
  EXPECT_TRUE(std::ranges::equal(two.image(1), all.image(2)));
}

// The middle is cut out of pictures between side and side / 0.875; larger ones are shrunk to it first.
TEST(Pictures, MiddleIsCutOutAtTheSizeThatIsSaid) {
  const TemporaryDirectory directory;
  const auto path = directory.file("a.zip", make_zip({{"a.ppm", ramp(20, 17)}}));
  const LabelledImages cut = read_pictures(path, "", {.side = 15});  // 15 / 0.875 = 17
  for (int y = 0; y < 15; ++y) {
    for (int x = 0; x < 15; ++x) {
      EXPECT_EQ(pixel(cut, 0, 0, y, x), x + 2);
      EXPECT_EQ(pixel(cut, 0, 1, y, x), y + 1);
    }
  }
  // From 34 pixels every output is in the middle between pixels (x + .25 ...): a ramp stays one.
  const LabelledImages doubled = read_pictures(path, "", {.side = 16, .crop_from = 34});
  for (int x = 0; x < 16; ++x) {
    EXPECT_NEAR(pixel(doubled, 0, 0, 8, x), (x + 12 + 0.5) / 2 - 0.5, 0.51) << x;
    EXPECT_NEAR(pixel(doubled, 0, 1, x, 8), (x + 9 + 0.5) / 2 - 0.5, 0.51) << x;
  }
}

// Pillow 13: Image.fromarray(a, "F").resize((w, h), Image.BICUBIC).
TEST(Pictures, AreResizedAsByPillow) {
  Matrix<float> a(5, 7);
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 7; ++x) a(y, x) = static_cast<float>((x * 37 + y * 61 + x * y * 13) % 256);
  }
  const auto expect = [&](std::int64_t width, std::int64_t height, const std::vector<float>& right) {
    const std::int64_t side = std::min(width, height);
    const Matrix<float> got = resample(a, {height, width, 0, width - side, side});
    for (std::int64_t y = 0; y < side; ++y) {
      for (std::int64_t x = 0; x < side; ++x)
        EXPECT_NEAR(got(y, x), right[y * width + x + width - side], 0.02);
    }
  };
  expect(4, 3,
         {41.753f, 120.78f, 111.11f, 151.8f, 128.85f, 160.09f, 110.67f, 158.24f, 137.78f, 132.76f, 172.96f,
          86.046f});
  expect(10, 8, {-6.5737f, 12.497f, 40.691f, 65.937f, 89.82f,  122.25f, 160.51f, 185.77f, 213.53f, 232.6f,
                 18.499f,  40.433f, 72.556f, 101.6f,  148.17f, 137.81f, 85.358f, 114.29f, 149.39f, 171.32f,
                 61.706f,  88.855f, 129.06f, 164.59f, 211.91f, 144.74f, 1.8636f, 37.571f, 83.363f, 110.2f,
                 98.222f,  140.61f, 201.65f, 241.42f, 143.42f, 73.412f, 75.816f, 131.53f, 184.5f,  214.44f,
                 141.22f,  135.34f, 155.11f, 206.69f, 106.66f, 87.445f, 163.63f, 149.86f, 185.32f, 230.93f,
                 189.57f,  83.047f, 9.5051f, 79.171f, 124.54f, 186.33f, 227.63f, 84.958f, 79.48f,  139.76f,
                 234.16f,  119.33f, 40.544f, 118.31f, 198.36f, 206.69f, 147.8f,  129.99f, 85.911f, 46.035f,
                 258.45f,  154.13f, 86.809f, 167.46f, 251.01f, 206.26f, 76.869f, 172.7f,  106.84f, -9.5931f});
}

TEST(Pictures, FaultsAreNamed) {
  const TemporaryDirectory directory;
  const auto read = [&](const Members& members, std::string_view split = "",
                        const PictureOptions& options = {}) {
    return read_pictures(directory.file("a.zip", make_zip(members)), split, options);
  };
  const std::string picture = ramp(8, 8);
  expect_error(ErrorCode::format, "line 2: must have a file name and the number of its class", [&] {
    read({{"a.ppm", picture}, {"labels.txt", "a.ppm 0\nb.ppm\n"}});
  });
  expect_error(ErrorCode::format, "line 1: must have", [&] { read({{"labels.txt", "a.ppm -1\n"}}); });
  expect_error(ErrorCode::format, "line 1: must have", [&] { read({{"labels.txt", "a.ppm 1x\n"}}); });
  expect_error(ErrorCode::format, "line 2: a.ppm has a label already", [&] {
    read({{"labels.txt", "a.ppm 1\na.ppm 2\n"}});
  });
  expect_error(ErrorCode::format, "b.ppm is missing", [&] {
    read({{"a.ppm", picture}, {"labels.txt", "a.ppm 0\nb.ppm 1\n"}});
  });
  expect_error(ErrorCode::format, "a.ppm is in two folders", [&] {
    read({{"x/a.ppm", picture}, {"y/a.ppm", picture}, {"labels.txt", "a.ppm 0\n"}});
  });
  expect_error(ErrorCode::invalid_argument, "no pictures train/<class>/*", [&] {
    read({{"a.ppm", picture}}, "train");
  });
  expect_error(ErrorCode::invalid_argument, "at least side", [&] {
    read({{"a.ppm", picture}}, "", {.side = 8, .crop_from = 7});
  });
  expect_error(ErrorCode::format, "a.zip: a.ppm", [&] { read({{"a.ppm", picture.substr(0, 30)}}); });
  expect_error(ErrorCode::io, "none", [&] { read_pictures(directory / "none", ""); });
}

}  // namespace
}  // namespace parsimony::data::pictures_test
