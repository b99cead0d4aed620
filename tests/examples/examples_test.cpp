// The examples, run as a user runs them, on small inputs. Each gives the bytes that the command gives.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "images/pictures.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/labels.hpp"
#include "parsimony/graph/scores.hpp"
#include "parsimony/images/image_quality.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "parsimony/operators/signals.hpp"
#include "places.hpp"
#include "temporary_directory.hpp"

namespace parsimony::examples_test {
namespace {

using testing::made_image;
using testing::with_noise;

class Examples : public ::testing::Test {
 protected:
  // The exit status of an example, and its output in out() and err().
  int run(const std::string& name, const std::vector<std::string>& arguments) const {
    return start(places::example(name), arguments, "out");
  }
  // The standard output of the command.
  std::string printed(const std::vector<std::string>& arguments) const {
    EXPECT_EQ(start(places::command(), arguments, "printed"), 0) << err();
    return TemporaryDirectory::content(path("printed"));
  }
  // The bytes that the command writes.
  std::string written(std::vector<std::string> arguments, const std::string& name) const {
    arguments.insert(arguments.end(), {"--output", path(name), "--quiet"});
    printed(arguments);
    return TemporaryDirectory::content(path(name));
  }
  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  std::string out() const { return TemporaryDirectory::content(path("out")); }
  std::string err() const { return TemporaryDirectory::content(path("err")); }

  TemporaryDirectory directory_;

 private:
  int start(const std::string& program, const std::vector<std::string>& arguments,
            const std::string& output) const {
    std::string line = program;
    for (const std::string& argument : arguments) line += " '" + argument + "'";
    line += " > '" + path(output) + "' 2> '" + path("err") + "'";
    const int status = std::system(line.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
};

TEST_F(Examples, SayWhatIsWrong) {
  const std::string none = path("none.npy"), result = path("result");
  const std::map<std::string, std::vector<std::string>> with_missing_file{
      {"cluster", {none}},
      {"cluster_points", {none, result}},
      {"denoise", {none, path("result.png")}},
      {"learn_operator", {none, result}},
      {"quantize", {none, "1000", result}}};
  for (const auto& [name, arguments] : with_missing_file) {
    EXPECT_EQ(run(name, {}), 2) << name;
    EXPECT_EQ(err().rfind("usage: example_" + name + " ", 0), 0u) << err();
    EXPECT_EQ(run(name, arguments), 1) << name;
    EXPECT_NE(err().find("none.npy"), std::string::npos) << err();
  }
  EXPECT_EQ(run("quantize", {none, "many", result}), 1) << "no number";
}

TEST_F(Examples, ClusterKeepsThePlantedBlocksApart) {
  graph::PlantedGraph planted = graph::stochastic_block_model(
      {.nodes = 2000, .clusters = 50, .degree = 20, .epsilon_ratio = 0.05, .seed = 3});
  graph::GraphFile file;
  file.graph = std::move(planted.graph);
  graph::write_graph(path("graph.mtx"), file);
  ASSERT_EQ(run("cluster", {path("graph.mtx")}), 0) << err();
  std::istringstream lines(out());
  std::vector<std::int32_t> labels;
  std::int32_t label = 0;
  for (std::string id; lines >> id >> label;) labels.push_back(label);
  ASSERT_EQ(labels.size(), planted.labels.size());
  EXPECT_GT(graph::agreement(labels, planted.labels).adjusted_rand, 0.9);
  EXPECT_EQ(out(), written({"cluster", path("graph.mtx"), "--clusters", "auto"}, "labels.txt"));
}

TEST_F(Examples, ClusterPointsFindsTheClouds) {
  constexpr std::int64_t kPoints = 600, kClouds = 10;
  Matrix<float> points(kPoints, 2);
  RandomStream(1, "test.points").fill_normal(points.values(), 0, 0.3);
  std::vector<std::int32_t> planted;
  for (std::int64_t i = 0; i < kPoints; ++i) {
    planted.push_back(static_cast<std::int32_t>(i % kClouds));
    points(i, 0) += static_cast<float>(5 * (i % kClouds % 4));
    points(i, 1) += static_cast<float>(5 * (i % kClouds / 4));
  }
  write_npy(path("points.npy"), points.view());
  ASSERT_EQ(run("cluster_points", {path("points.npy"), path("labels.txt")}), 0) << err();
  const graph::Labels labels = graph::read_labels(path("labels.txt"));
  ASSERT_EQ(labels.clusters.size(), planted.size());
  EXPECT_GT(graph::agreement(labels.clusters, planted).adjusted_rand, 0.95);
  EXPECT_EQ(TemporaryDirectory::content(path("labels.txt")),
            written({"cluster", path("points.npy"), "--clusters", "10"}, "by-command.txt"));
}

TEST_F(Examples, DenoiseRaisesThePsnrOfEveryChannel) {
  Image clean{{made_image(48, 60), made_image(48, 60), made_image(48, 60)}, 8, false}, noisy = clean;
  for (float& value : clean.channels[1].values()) value = 255 - value;
  for (std::size_t c = 0; c < 3; ++c) noisy.channels[c] = with_noise(clean.channels[c], 20, c + 1);
  write_image(path("noisy.png"), noisy);
  ASSERT_EQ(run("denoise", {path("noisy.png"), path("out.png")}), 0) << err();
  const Image before = read_image(path("noisy.png")), after = read_image(path("out.png"));
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_GT(images::psnr(after.channels[c], clean.channels[c]),
              images::psnr(before.channels[c], clean.channels[c]) + 3)
        << "channel " << c;
  }
  EXPECT_EQ(TemporaryDirectory::content(path("out.png")),
            written({"operator", "denoise", path("noisy.png")}, "by-command.png"));
}

TEST_F(Examples, LearnOperatorFindsTheOneOfTheSignals) {
  const Matrix<double> truth = operators::random_untf(24, 16, 3);
  write_npy(path("signals.npy"), operators::cosparse_signals(truth, {.samples = 768, .seed = 1}).view());
  ASSERT_EQ(run("learn_operator", {path("signals.npy"), path("operator.npy")}), 0) << err();
  EXPECT_EQ(operators::recovered_rows(truth, operators::read_operator(path("operator.npy"))), 1);
  EXPECT_EQ(out().rfind("Certified", 0), 0u) << out();
  EXPECT_EQ(TemporaryDirectory::content(path("operator.npy")),
            written({"operator", "learn", path("signals.npy"), "--method", "untf", "--rows", "24"},
                    "by-command.npy"));
  const std::string checked = printed({"operator", "check", path("operator.npy"), "--data",
                                       path("signals.npy"), "--zero-tolerance", "1e-4", "--quiet"});
  EXPECT_NE(checked.find(out().substr(0, out().find('\n'))), std::string::npos) << checked;
}

TEST_F(Examples, QuantizeStaysWithinTheBytes) {
  std::vector<float> values(64 * 256);
  RandomStream(1, "weight").fill_normal(values, 0, 0.05);
  const std::vector<std::uint8_t> bytes = tensor_bytes(values, DType::float32);
  const TensorView tensor{{"layer.weight", DType::float32, {64, 256}}, bytes};
  write_safetensors(path("model.safetensors"), {&tensor, 1});
  ASSERT_EQ(run("quantize", {path("model.safetensors"), "20000", path("compact.safetensors")}), 0) << err();
  EXPECT_LE(std::filesystem::file_size(path("compact.safetensors")), 20000u);
  EXPECT_GT(std::filesystem::file_size(path("compact.safetensors")), 2000u);
  EXPECT_EQ(TemporaryDirectory::content(path("compact.safetensors")),
            written({"quantize", path("model.safetensors"), "--budget", "20000"}, "by-command.safetensors"));
}

}  // namespace
}  // namespace parsimony::examples_test
