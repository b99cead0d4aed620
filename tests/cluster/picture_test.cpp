#include "parsimony/cluster/picture.hpp"

#include <gtest/gtest.h>
#include <png.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony::cluster::picture_test {
namespace {

struct Picture {
  int width = 0, height = 0;
  std::vector<png_byte> pixels;

  double brightness(int x, int y) const {
    const png_byte* pixel = &pixels[static_cast<std::size_t>(3 * (y * width + x))];
    return (pixel[0] + pixel[1] + pixel[2]) / 765.0;
  }
  double mean_brightness(int left, int top, int right, int bottom) const {
    double sum = 0;
    for (int y = top; y < bottom; ++y) {
      for (int x = left; x < right; ++x) sum += brightness(x, y);
    }
    return sum / ((right - left) * (bottom - top));
  }
};

class PictureFile {
 public:
  PictureFile()
      : path_(std::filesystem::temp_directory_path() / ("picture-" + std::to_string(getpid()) + ".png")) {}
  ~PictureFile() { std::filesystem::remove(path_); }
  const std::filesystem::path& path() const { return path_; }

  Picture decode() const {
    const std::string bytes = read_file(path_);
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    EXPECT_NE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()), 0) << image.message;
    image.format = PNG_FORMAT_RGB;
    Picture picture{static_cast<int>(image.width), static_cast<int>(image.height),
                    std::vector<png_byte>(PNG_IMAGE_SIZE(image))};
    EXPECT_NE(png_image_finish_read(&image, nullptr, picture.pixels.data(), 0, nullptr), 0) << image.message;
    return picture;
  }

 private:
  std::filesystem::path path_;
};

// Cliques of the given sizes, joined to a ring by one edge each.
Csr cliques(const std::vector<int>& sizes, std::vector<std::int32_t>& labels) {
  std::vector<std::int32_t> first{0};
  for (const int size : sizes) first.push_back(first.back() + size);
  Csr graph;
  labels.clear();
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    const std::int32_t before = first[(c + sizes.size() - 1) % sizes.size()],
                       after = first[(c + 1) % sizes.size()];
    for (std::int32_t node = first[c]; node < first[c + 1]; ++node) {
      std::vector<std::int32_t> row;
      for (std::int32_t other = first[c]; other < first[c + 1]; ++other) {
        if (other != node) row.push_back(other);
      }
      if (node == first[c]) row.insert(row.end(), {before, after});
      std::sort(row.begin(), row.end());
      row.erase(std::unique(row.begin(), row.end()), row.end());  // in a ring of two both edges are the same
      graph.columns.insert(graph.columns.end(), row.begin(), row.end());
      graph.offsets.push_back(static_cast<std::int64_t>(graph.columns.size()));
      labels.push_back(static_cast<std::int32_t>(c));
    }
  }
  return graph;
}

TEST(Picture, BlocksAreDarkAndTheGroundIsPale) {
  std::vector<std::int32_t> labels;
  const Csr graph = cliques({200, 120, 80}, labels);
  const PictureFile file;
  write_cluster_picture(file.path(), graph, labels, graph::score_partition(graph, labels), {.lambda_k = 0.5});
  const Picture picture = file.decode();
  ASSERT_EQ(picture.width, 1200);
  ASSERT_EQ(picture.height, 800);
  // The matrix covers (60, 106) to (700, 746): 320, 192 and 128 pixels for the clusters.
  EXPECT_LT(picture.mean_brightness(70, 116, 370, 416), 0.4) << "first block";
  EXPECT_LT(picture.mean_brightness(390, 436, 560, 606), 0.4) << "second block";
  EXPECT_LT(picture.mean_brightness(582, 628, 690, 736), 0.4) << "third block";
  EXPECT_GT(picture.mean_brightness(390, 116, 690, 416), 0.9) << "between the first and the others";
  EXPECT_GT(picture.mean_brightness(70, 436, 370, 736), 0.9) << "its mirror image";
}

TEST(Picture, DependsOnThePartitionAndNotOnItsNames) {
  std::vector<std::int32_t> labels;
  const Csr graph = cliques({50, 40, 30, 20}, labels);
  const PictureFile file;
  write_cluster_picture(file.path(), graph, labels, graph::score_partition(graph, labels));
  const std::string bytes = read_file(file.path());
  for (std::int32_t& label : labels) label = std::array{2, 0, 3, 1}[static_cast<std::size_t>(label)];
  write_cluster_picture(file.path(), graph, labels, graph::score_partition(graph, labels));
  EXPECT_EQ(read_file(file.path()), bytes);
  std::swap(labels.front(), labels.back());
  write_cluster_picture(file.path(), graph, labels, graph::score_partition(graph, labels));
  EXPECT_NE(read_file(file.path()), bytes);
}

TEST(Picture, DrawsTheSmallestAndTheEmptiest) {
  const PictureFile file;
  const Csr one{{0, 0}, {}, {}};
  const std::vector<std::int32_t> label{0};
  write_cluster_picture(file.path(), one, label, graph::score_partition(one, label));
  EXPECT_EQ(file.decode().width, 1200);
  // More clusters than pixels.
  const std::int64_t nodes = 3000;
  Csr isolated;
  isolated.offsets.assign(nodes + 1, 0);
  std::vector<std::int32_t> labels(nodes);
  std::iota(labels.begin(), labels.end(), 0);
  write_cluster_picture(file.path(), isolated, labels, graph::score_partition(isolated, labels));
  EXPECT_EQ(file.decode().height, 800);
}

// Two eigenvalues below 0.5 and a hundred at 1.5: the bars stand there and nowhere else, the mark between
// them.
TEST(Picture, TheSpectrumHasItsBarsWhereTheEigenvaluesAre) {
  constexpr int kMoments = 2 * 400;
  Matrix<double> moments(1, kMoments + 1);
  for (int m = 0; m <= kMoments; ++m) {
    moments(0, m) = 2 * std::cos(m * std::acos(0.3 - 1)) + 100 * std::cos(m * std::acos(1.5 - 1));
  }
  const spectral::SpectralDensity density(moments, 2);
  std::vector<std::int32_t> labels;
  const Csr graph = cliques({60, 40}, labels);
  const PictureFile file;
  write_cluster_picture(file.path(), graph, labels, graph::score_partition(graph, labels),
                        {.lambda_k = 0.8, .density = &density});
  const Picture picture = file.decode();
  // The third chart covers (800, 591) to (1160, 746).
  const auto x = [](double lambda) { return 800 + static_cast<int>(180 * lambda); };
  EXPECT_LT(picture.mean_brightness(x(1.5) - 2, 620, x(1.5) + 3, 740), 0.85);
  EXPECT_LT(picture.mean_brightness(x(0.3) - 2, 735, x(0.3) + 3, 744), 0.85);
  EXPECT_GT(picture.mean_brightness(x(0.3) - 2, 620, x(0.3) + 3, 660), 0.93);
  EXPECT_GT(picture.mean_brightness(x(1.0), 620, x(1.3), 740), 0.93);
  EXPECT_LT(picture.mean_brightness(x(0.8), 600, x(0.8) + 1, 740), 0.75) << "the mark";
}

TEST(Picture, TheStabilityCurveMarksWhatWasChosen) {
  std::vector<std::int32_t> labels;
  const Csr graph = cliques({60, 40}, labels);
  const graph::PartitionScores scores = graph::score_partition(graph, labels);
  const std::vector<std::int64_t> clusters{2, 4, 8, 16, 32};
  const std::vector<double> stability{0.3, 0.4, 0.95, 0.5, 0.2}, error{0.1, 0.1, 0.02, 0.1, 0.1};
  const PictureFile file;
  const auto draw = [&](const StabilityCurve& curve) {
    write_cluster_picture(file.path(), graph, labels, scores, {.stability = curve});
    return file.decode();
  };
  // 8 is in the middle of a logarithmic axis from 2 to 32.
  EXPECT_LT(draw({clusters, stability, error, 8}).mean_brightness(980, 600, 981, 740), 0.75);
  EXPECT_GT(draw({clusters, stability, error, 16}).mean_brightness(980, 620, 981, 740), 0.9);
  draw({std::span(clusters).first(1), std::span(stability).first(1), std::span(error).first(1), 2});
  EXPECT_THROW(draw({clusters, stability, error, 9}), Error);
  EXPECT_THROW(draw({clusters, stability, {}, 8}), Error);
}

TEST(Picture, RefusesWhatDoesNotFit) {
  std::vector<std::int32_t> labels;
  const Csr graph = cliques({5, 4}, labels);
  const graph::PartitionScores scores = graph::score_partition(graph, labels);
  const PictureFile file;
  auto wrong = labels;
  wrong[0] = 1;
  EXPECT_THROW(write_cluster_picture(file.path(), graph, wrong, scores), Error);
  wrong[0] = -1;
  EXPECT_THROW(write_cluster_picture(file.path(), graph, wrong, scores), Error);
  wrong = labels;
  wrong.pop_back();
  EXPECT_THROW(write_cluster_picture(file.path(), graph, wrong, scores), Error);
  EXPECT_FALSE(std::filesystem::exists(file.path()));
}

}  // namespace
}  // namespace parsimony::cluster::picture_test
