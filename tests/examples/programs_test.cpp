// The examples for graphs and networks on small inputs, and the usage of all without arguments.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "parsimony/core/random.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/graph/file.hpp"
#include "parsimony/graph/generators.hpp"
#include "parsimony/graph/scores.hpp"
#include "places.hpp"
#include "temporary_directory.hpp"

namespace parsimony {
namespace {

class ExamplePrograms : public ::testing::Test {
 protected:
  // The exit status of an example, and its output in out().
  int run(const std::string& name, const std::vector<std::string>& arguments) const {
    std::string line = places::example(name);
    for (const std::string& argument : arguments) line += " '" + argument + "'";
    line += " > '" + path("out") + "' 2> '" + path("err") + "'";
    const int status = std::system(line.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  std::string out() const { return TemporaryDirectory::content(path("out")); }
  std::string err() const { return TemporaryDirectory::content(path("err")); }

  TemporaryDirectory directory_;
};

TEST_F(ExamplePrograms, SayHowTheyAreUsed) {
  for (const char* name : {"cluster", "denoise", "learn_operator", "quantize"}) {
    EXPECT_EQ(run(name, {}), 2) << name;
    EXPECT_EQ(err().rfind("usage: ", 0), 0u) << err();
  }
}

TEST_F(ExamplePrograms, ClusterKeepsThePlantedBlocksApart) {
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
}

TEST_F(ExamplePrograms, QuantizeStaysWithinTheBytes) {
  std::vector<float> values(64 * 256);
  RandomStream(1, "weight").fill_normal(values, 0, 0.05);
  const std::vector<std::uint8_t> bytes = tensor_bytes(values, DType::float32);
  const TensorView tensor{{"layer.weight", DType::float32, {64, 256}}, bytes};
  write_safetensors(path("model.safetensors"), {&tensor, 1});
  ASSERT_EQ(run("quantize", {path("model.safetensors"), "20000", path("compact.safetensors")}), 0) << err();
  EXPECT_LE(std::filesystem::file_size(path("compact.safetensors")), 20000u);
  EXPECT_GT(std::filesystem::file_size(path("compact.safetensors")), 2000u);
}

}  // namespace
}  // namespace parsimony
