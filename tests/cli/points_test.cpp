// Points on the command line: graphs of neighbours, clusters, saved models, new points.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "parsimony/cluster/model.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/scores.hpp"

namespace parsimony::cli {
namespace {

using Json = nlohmann::json;

class Points : public Command {
 protected:
  // Two concentric rings; the truth is the parity of the row.
  std::string rings(const std::string& name, std::int64_t n, std::uint64_t seed) const {
    Matrix<float> points(n, 3);
    const RandomStream random(seed, "rings");
    for (std::int64_t i = 0; i < n; ++i) {
      const double turn = 6.283185307 * random.uniform(i);
      points(i, 0) = static_cast<float>((1 + 2 * (i % 2)) * std::cos(turn));
      points(i, 1) = static_cast<float>((1 + 2 * (i % 2)) * std::sin(turn));
      points(i, 2) = static_cast<float>(0.05 * random.normal(4 * n + i));
    }
    write_npy(path(name), points);
    return path(name);
  }
  static double agreement(const std::vector<std::int32_t>& labels) {
    std::vector<std::int32_t> truth(labels.size());
    for (std::size_t i = 0; i < truth.size(); ++i) truth[i] = static_cast<std::int32_t>(i % 2);
    return graph::agreement(labels, truth).adjusted_rand;
  }
};

TEST_F(Points, AreClusteredSavedAndAssigned) {
  const std::string points = rings("p.npy", 2000, 1), more = rings("new.npy", 301, 2);
  const Outcome clustered = run({"cluster", points, "--clusters", "2", "--method", "compressive", "--output",
                                 path("l.npy"), "--save-model", path("m.npz"), "--json", "--quiet"});
  ASSERT_EQ(clustered.code, 0) << clustered.err;
  const std::vector<std::int32_t> labels = read_npy_int32(path("l.npy"));
  ASSERT_EQ(labels.size(), 2000u);
  EXPECT_GT(agreement(labels), 0.99);
  const Json report = Json::parse(clustered.out);
  EXPECT_EQ(report["graph"]["nodes"], 2000);
  EXPECT_EQ(report["options"]["order"], 200) << "the default for points";
  EXPECT_EQ(report["options"]["neighbors"], 10);
  EXPECT_EQ(report["options"]["search"], "exact");

  const Outcome assigned = run({"assign", path("m.npz"), more, "--output", path("new.txt")});
  ASSERT_EQ(assigned.code, 0) << assigned.err;
  const cluster::PointModel model = cluster::load_model(path("m.npz"));
  EXPECT_EQ(model.labels, labels);
  const auto expected = cluster::assign(model, read_npy_matrix(more)).labels;
  EXPECT_GT(agreement(expected), 0.99);
  std::string text;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    text += std::to_string(i) + "\t" + std::to_string(expected[i]) + "\n";
  }
  EXPECT_EQ(read_text(path("new.txt")), text);
  EXPECT_EQ(run({"assign", path("m.npz"), more}).out, text);
  const Outcome again = run({"assign", path("m.npz"), points, "--output", path("again.npy"), "--quiet"});
  EXPECT_EQ(again.err, "");
  EXPECT_EQ(read_npy_int32(path("again.npy")), labels) << "what was clustered keeps its cluster";
}

TEST_F(Points, AreDrawn) {
  const std::string points = rings("p.npy", 500, 1);
  const Outcome drawn = run({"cluster", points, "--clusters", "2", "--output", path("l.npy"), "--picture",
                             path("p.png"), "--save-model", path("m.npz"), "--json", "--quiet"});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  EXPECT_EQ(read_text(path("p.png")).substr(1, 3), "PNG");
  EXPECT_GT(agreement(read_npy_int32(path("l.npy"))), 0.99) << "rings need no --method";
  const Outcome small = run({"cluster", points, "--clusters", "2", "--output", path("l.npy"), "--save-model",
                             path("m.npz"), "--max-memory", "200kB"});
  expect_one_error(small, 1, {"--max-memory"});
  expect_one_error(run({"cluster", points, "--clusters", "2", "--picture", path("p.jpg")}), 2, {"--picture"});
}

TEST_F(Points, TheGraphIsReadBack) {
  const std::string points = rings("p.npy", 500, 1);
  for (const char* weights : {"binary", "gaussian", "self-tuning"}) {
    const Outcome made = run({"knn-graph", points, "--neighbors", "8", "--weights", weights, "--edges",
                              "mutual", "--output", path("g.npz")});
    ASSERT_EQ(made.code, 0) << made.err;
    EXPECT_NE(made.err.find("500 nodes"), std::string::npos) << made.err;
    EXPECT_NE(made.err.find("exact"), std::string::npos) << made.err;
    const Outcome clustered =
        run({"cluster", path("g.npz"), "--clusters", "2", "--output", path("l.txt"), "--json", "--quiet"});
    ASSERT_EQ(clustered.code, 0) << clustered.err;
    EXPECT_EQ(Json::parse(clustered.out)["graph"]["weighted"], std::string(weights) != "binary");
  }
  const Outcome approximate = run({"knn-graph", points, "--search", "approximate", "--recall", "0.9",
                                   "--metric", "cosine", "--output", path("a.mtx")});
  ASSERT_EQ(approximate.code, 0) << approximate.err;
  EXPECT_NE(approximate.err.find("recall"), std::string::npos) << approximate.err;
}

// Times in milliseconds, two groups a minute apart, from each kind of file.
TEST_F(Points, KeepTheirDigitsFromEveryFile) {
  Matrix<double> times(80, 1);
  std::string text = "time\n";
  std::vector<std::int64_t> whole;
  for (std::int64_t i = 0; i < 80; ++i) {
    whole.push_back(1700000000000 + 60000 * (i % 2) + 50 * i);
    times(i, 0) = static_cast<double>(whole.back());
    text += std::to_string(whole.back()) + "\n";
  }
  write_npy(path("f8.npy"), times);
  write_npy(path("i8.npy"), whole);
  write("t.csv", text);
  for (const char* name : {"f8.npy", "i8.npy", "t.csv"}) {
    const Outcome made = run({"cluster", path(name), "--points", "--clusters", "2", "--output", path("l.npy"),
                              "--save-model", path("m.npz"), "--quiet"});
    ASSERT_EQ(made.code, 0) << made.err;
    EXPECT_EQ(agreement(read_npy_int32(path("l.npy"))), 1) << name;
    const Outcome assigned = run({"assign", path("m.npz"), path(name), "--output", path("a.npy")});
    ASSERT_EQ(assigned.code, 0) << assigned.err;
    EXPECT_EQ(read_npy_int32(path("a.npy")), read_npy_int32(path("l.npy"))) << name;
  }
  expect_one_error(run({"cluster", path("f8.npy"), "--clusters", "2", "--array", "x"}), 2,
                   {"--array", "no arrays to choose from"});
}

TEST_F(Points, MistakesAreNamed) {
  const std::string points = rings("p.npy", 100, 1), graph = write("g.txt", "1 2\n2 3\n");
  const std::string out = path("o.npz");
  const auto knn = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"knn-graph", points, "--output", out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  };
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"--neighbors", "0"},   {"--neighbors", "1025"}, {"--neighbors", "ten"},   {"--metric", "hamming"},
      {"--search", "magic"},  {"--recall", "0"},       {"--recall", "1.1"},      {"--edges", "all"},
      {"--weights", "heavy"}, {"--bandwidth", "-1"},   {"--max-memory", "4QiB"}, {"--seed", "-1"}};
  for (const auto& [flag, value] : wrong) {
    expect_one_error(knn({flag + "=" + value}), 2, {flag});
    if (flag == "--max-memory" || flag == "--seed") continue;
    expect_one_error(run({"cluster", points, "--clusters", "2", flag + "=" + value}), 2, {flag});
    expect_one_error(run({"cluster", graph, "--clusters", "2", flag, "1"}), 2, {flag});
  }
  for (const auto& [flag, value] : wrong) {
    if (flag != "--search" && flag != "--recall" && flag != "--seed" && flag != "--max-memory") continue;
    expect_one_error(run({"assign", path("m.npz"), points, flag + "=" + value}), 2, {flag});
  }
  expect_one_error(knn({"--neighbors", "100"}), 2, {"--neighbors: 100", "99 other points"});
  expect_one_error(knn({"--max-memory", "10kB"}), 1, {"--max-memory", "10000", "about"});
  expect_one_error(run({"knn-graph", points}), 2, {"--output"});
  expect_one_error(run({"knn-graph", points, "--output", points}), 2, {"overwrite"});
  expect_one_error(run({"knn-graph", path("none.npy"), "--output", out}), 1, {"none.npy"});
  expect_one_error(run({"knn-graph", write("g.mtx", "%%MatrixMarket matrix\n"), "--output", out}), 1,
                   {"g.mtx:1", "is a graph"});
  expect_one_error(run({"cluster", graph, "--clusters", "2", "--neighbors", "5"}), 2,
                   {"--neighbors", graph, "is a graph"});
  expect_one_error(run({"cluster", graph, "--clusters", "2", "--save-model", path("m.npz")}), 2,
                   {"--save-model", "is a graph"});
  expect_one_error(run({"cluster", points, "--clusters", "2", "--symmetrize"}), 2,
                   {"--symmetrize", "array of points"});
  expect_one_error(run({"cluster", points, "--clusters", "2", "--format", "npz"}), 2, {"--format"});
  expect_one_error(run({"cluster", points, "--clusters", "2", "--save-model", points}), 2,
                   {"--save-model", "overwrite"});
  expect_one_error(run({"cluster", points, "--clusters", "2", "--save-model", path("no/m.npz")}), 1,
                   {"--save-model"});
  EXPECT_EQ(files(), (std::vector<std::string>{"g.mtx", "g.txt", "p.npy"})) << "nothing is written";
}

TEST_F(Points, BadRowsAndModelsAreNamed) {
  Matrix<float> points(20, 2);
  points(7, 1) = std::nanf("");
  write_npy(path("nan.npy"), points);
  expect_one_error(run({"cluster", path("nan.npy"), "--clusters", "2"}), 1, {"row 7"});
  expect_one_error(
      run({"cluster", write("nan.csv", "1,2\n3,nan\n"), "--points", "--neighbors", "1", "--clusters", "2"}),
      1, {"nan.csv:2", "column 2 is 'nan'"});
  const std::string good = rings("p.npy", 100, 1);
  ASSERT_EQ(run({"cluster", good, "--clusters", "2", "--output", path("l.txt"), "--save-model", path("m.npz"),
                 "--quiet"})
                .code,
            0);
  expect_one_error(run({"assign", path("m.npz"), path("nan.npy")}), 1, {"2 values", "3"});
  const std::string model = read_text(path("m.npz"));
  expect_one_error(run({"assign", write("cut.npz", model.substr(0, model.size() / 2)), good}), 1,
                   {"cut.npz"});
  expect_one_error(run({"assign", good, good}), 1, {"p.npy"});
  expect_one_error(run({"assign", path("none.npz"), good}), 1, {"none.npz"});
  expect_one_error(run({"assign", path("m.npz"), path("none.npy")}), 1, {"none.npy"});
  expect_one_error(run({"assign", path("m.npz"), good, "--output", path("m.npz")}), 2,
                   {"--output", "overwrite"});
  expect_one_error(run({"assign", path("m.npz"), good, "--max-memory", "100"}), 1, {"--max-memory"});
  expect_one_error(run({"assign", path("m.npz")}), 2, {"POINTS"});
}

}  // namespace
}  // namespace parsimony::cli
