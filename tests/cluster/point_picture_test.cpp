#include "parsimony/cluster/point_picture.hpp"

#include <gtest/gtest.h>
#include <png.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "expect_error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::cluster::point_picture_test {
namespace {

constexpr int kLeft = 60, kTop = 106, kRight = 860, kBottom = 736;  // edges of the map

class PointPicture : public ::testing::Test {
 protected:
  PointPicture()
      : path_(std::filesystem::temp_directory_path() / ("points-" + std::to_string(getpid()) + ".png")) {}
  ~PointPicture() override { std::filesystem::remove(path_); }

  void draw(const Matrix<float>& points, const std::vector<std::int32_t>& labels, std::int64_t clusters) {
    write_point_picture(path_, points, labels, clusters);
    const std::string bytes = read_file(path_);
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    ASSERT_NE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()), 0) << image.message;
    image.format = PNG_FORMAT_RGB;
    ASSERT_EQ(image.width, 1200u);
    ASSERT_EQ(image.height, 800u);
    pixels_.resize(PNG_IMAGE_SIZE(image));
    ASSERT_NE(png_image_finish_read(&image, nullptr, pixels_.data(), 0, nullptr), 0) << image.message;
  }

  // Pixels of a part of the picture that are more blue than red, and the other way round.
  struct Tints {
    int blue = 0, red = 0;
  };
  Tints tints(int left, int top, int right, int bottom) const {
    Tints out;
    for (int y = top; y < bottom; ++y) {
      for (int x = left; x < right; ++x) {
        const png_byte* pixel = &pixels_[static_cast<std::size_t>(3 * (1200 * y + x))];
        out.blue += pixel[2] > pixel[0] + 40;
        out.red += pixel[0] > pixel[2] + 40;
      }
    }
    return out;
  }

  std::filesystem::path path_;
  std::vector<png_byte> pixels_;
};

// Two clouds of d dimensions, 10 apart along the last axis; the larger one comes second.
Matrix<float> clouds(std::int64_t n, std::int64_t d, std::vector<std::int32_t>& labels) {
  Matrix<float> points(n, d);
  RandomStream(1, "clouds").fill_normal(points.values());
  labels.assign(static_cast<std::size_t>(n), 1);
  for (std::int64_t i = 0; i < n; ++i) {
    if (i % 3 == 0) labels[i] = 0;
    points(i, d - 1) += labels[i] == 1 ? 10.0f : 0.0f;
  }
  return points;
}

TEST_F(PointPicture, ClustersKeepTheirPlacesAndColors) {
  std::vector<std::int32_t> labels;
  draw(clouds(600, 2, labels), labels, 2);  // the larger cluster, blue, above the other
  const int middle = (kTop + kBottom) / 2;
  const Tints above = tints(kLeft, kTop, kRight, middle), below = tints(kLeft, middle, kRight, kBottom);
  EXPECT_GT(above.blue, 1000);
  EXPECT_EQ(above.red, 0);
  EXPECT_GT(below.red, 500);
  EXPECT_EQ(below.blue, 0);
  const Tints list = tints(kRight + 20, kTop, 1180, kBottom);
  EXPECT_GT(list.blue, list.red) << "the bars of the sizes";
  EXPECT_GT(list.red, 0);
}

TEST_F(PointPicture, DrawsOneDimensionThreeAndTheFirstTwoOfMany) {
  for (const std::int64_t d : {1, 3, 20}) {
    std::vector<std::int32_t> labels;
    const Matrix<float> points = clouds(2000, d, labels);
    draw(points, labels, 2);
    const Tints all = tints(kLeft, kTop, kRight, kBottom);
    EXPECT_GT(all.blue, 500) << d;
    EXPECT_GT(all.red, 250) << d;
    if (d == 3) continue;
    // Apart along the first component, which is drawn across and grows with the last coordinate.
    const int middle = (kLeft + kRight) / 2;
    EXPECT_LT(tints(kLeft, kTop, middle, kBottom).blue, all.blue / 50) << d;
    EXPECT_LT(tints(middle, kTop, kRight, kBottom).red, all.red / 50) << d;
  }
}

TEST_F(PointPicture, AFarPointDoesNotTakeTheSpace) {
  std::vector<std::int32_t> labels;
  Matrix<float> points = clouds(3000, 2, labels);
  points(0, 0) = 1e6f;
  draw(points, labels, 2);
  EXPECT_GT(tints(kLeft, kTop, kRight, kBottom).blue, 1000);
}

TEST_F(PointPicture, DegeneratePointsAreDrawn) {
  draw(Matrix<float>(1, 2), {0}, 1);
  draw(Matrix<float>(50, 7), std::vector<std::int32_t>(50, 3), 4);
  EXPECT_GT(tints(kLeft, kTop, kRight, kBottom).blue, 0);
  std::vector<std::int32_t> labels;
  const Matrix<float> many = clouds(200, 3, labels);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i);
  draw(many, labels, 200);
}

TEST_F(PointPicture, RefusesWhatDoesNotFit) {
  std::vector<std::int32_t> labels;
  Matrix<float> points = clouds(9, 2, labels);
  const auto refuse = [&](const std::string& piece) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { write_point_picture(path_, points, labels, 2); });
  };
  labels[4] = 2;
  refuse("label 2 of row 4");
  labels.pop_back();
  refuse("8 labels for 9 points");
  labels.assign(9, 0);
  points(5, 1) = std::numeric_limits<float>::infinity();
  refuse("row 5");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace parsimony::cluster::point_picture_test
