// Results of the clustering verbs for good input.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/command.hpp"

namespace parsimony::cli {
namespace {

using Json = nlohmann::json;

class Cluster : public Command {};

// "id\tcluster" lines.
std::map<std::string, int> parse_labels(const std::string& text) {
  std::map<std::string, int> labels;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos) throw std::runtime_error("no tab in: " + line);
    EXPECT_TRUE(labels.emplace(line.substr(0, tab), std::stoi(line.substr(tab + 1))).second)
        << "twice: " << line;
  }
  return labels;
}

// By the number of the id.
std::map<int, int> numbered(const std::map<std::string, int>& labels) {
  std::map<int, int> out;
  for (const auto& [id, cluster] : labels) out[std::stoi(id)] = cluster;
  return out;
}

TEST_F(Cluster, TheFilteredMethodFindsThePlantedBlocks) {
  const std::string graph = block_model("g.mtx", 3000, 6);
  const Outcome outcome = run({"cluster", graph, "--clusters", "6", "--method", "filtered", "--output",
                               path("labels.txt"), "--json", "--quiet"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(Json::parse(outcome.out)["algorithm"], "filtered spectral clustering");
  const Outcome scored = run({"score", path("labels.txt"), "--truth", path("truth.txt"), "--json"});
  EXPECT_GT(Json::parse(scored.out)["agreement"]["adjusted_rand"].get<double>(), 0.97) << scored.out;
}

TEST_F(Cluster, PlantedLabelsNameTheNodesAsTheReaderOfTheirFormatDoes) {
  for (const char* name : {"g.txt", "g.mtx", "g.graph", "g.npz"}) {
    const std::string graph = block_model(name, 600, 2);
    const Outcome outcome =
        run({"cluster", graph, "--clusters", "2", "--output", path("labels.txt"), "--quiet"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const Outcome scored = run({"score", path("labels.txt"), "--truth", path("truth.txt"), "--json"});
    EXPECT_GT(Json::parse(scored.out)["agreement"]["adjusted_rand"].get<double>(), 0.97)
        << name << scored.out;
  }
}

// λ_k comes from the density by which the number was chosen: the method must use the same one.
TEST_F(Cluster, TheChosenNumberBringsItsLambdaAndItsPicture) {
  const std::string graph = block_model("g.mtx", 3000, 6);
  const Outcome outcome = run({"cluster", graph, "--clusters", "auto", "--max-clusters", "12", "--method",
                               "compressive", "--picture", path("p.png"), "--json", "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json report = Json::parse(outcome.out);
  EXPECT_EQ(report["options"]["clusters"], 6);
  EXPECT_GT(report["options"]["lambda_k"].get<double>(), 0);
  EXPECT_EQ(report["options"]["lambda_k"], report["figures"]["lambda_k"]);
  EXPECT_EQ(read_text(path("p.png")).substr(1, 3), "PNG");
  const Outcome known = run({"cluster", graph, "--clusters", "auto", "--max-clusters", "12", "--method",
                             "compressive", "--lambda-k", "0.5", "--json", "--quiet"});
  EXPECT_EQ(Json::parse(known.out)["figures"]["lambda_k"], 0.5) << "what was given goes before";
}

TEST_F(Cluster, TheNumberOfClustersIsFoundWhenAskedFor) {
  const std::string graph = block_model("g.mtx", 3000, 6);
  for (const char* method : {"auto", "compressive", "filtered", "exact"}) {
    const Outcome outcome = run({"cluster", graph, "--clusters", "auto", "--max-clusters", "12", "--method",
                                 method, "--output", path("labels.txt"), "--json", "--quiet"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const Json report = Json::parse(outcome.out);
    EXPECT_EQ(report["options"]["clusters"], 6);
    EXPECT_EQ(report["figures"]["choice_clusters"].size(), 11u);
    EXPECT_EQ(report["figures"]["choice_stability"].size(), 11u);
    EXPECT_EQ(report["figures"]["choice_standard_error"].size(), 11u);
    EXPECT_EQ(report["figures"]["choice_gap"].size(), 11u);
  }
}

TEST_F(Cluster, LabelsEveryNodeOnceAndUsesEveryCluster) {
  const std::string graph = block_model("g.mtx", 2000, 5);
  const Outcome outcome = run({"cluster", graph, "--clusters", "5"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto labels = parse_labels(outcome.out);
  ASSERT_EQ(labels.size(), 2000u);
  std::set<int> used;
  for (const auto& [id, cluster] : labels) used.insert(cluster);
  EXPECT_EQ(used, (std::set<int>{0, 1, 2, 3, 4}));
  for (int id = 1; id <= 2000; ++id) EXPECT_EQ(labels.count(std::to_string(id)), 1u) << id;
}

TEST_F(Cluster, KeepsTheIdsOfTheFile) {
  // Two triangles joined by an edge, named by text.
  const std::string graph =
      write("names.txt", "ann bob\nbob cat\ncat ann\ndan eve\neve fay\nfay dan\ncat dan\n");
  const Outcome outcome = run({"cluster", graph, "--clusters", "2"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto labels = parse_labels(outcome.out);
  ASSERT_EQ(labels.size(), 6u);
  EXPECT_EQ(labels.count("ann") + labels.count("fay"), 2u);
}

TEST_F(Cluster, FindsThePlantedClusters) {
  const std::string graph = block_model("g.mtx", 3000, 6, 24);
  const Outcome outcome = run({"cluster", graph, "--clusters", "6", "--output", path("labels.txt")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("modularity"), std::string::npos) << "a summary";
  const Outcome scored =
      run({"score", path("labels.txt"), "--graph", graph, "--truth", path("truth.txt"), "--json"});
  ASSERT_EQ(scored.code, 0) << scored.err;
  EXPECT_GT(Json::parse(scored.out)["agreement"]["adjusted_rand"].get<double>(), 0.9);
}

TEST_F(Cluster, ByEigenvectorsReportsThem) {
  const std::string graph = block_model("g.mtx", 2000, 5, 24);
  const Outcome outcome = run({"cluster", graph, "--clusters", "5", "--method", "exact", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json report = Json::parse(outcome.out);
  const auto values = report["figures"]["eigenvalues"].get<std::vector<double>>();
  ASSERT_EQ(values.size(), 5u);
  EXPECT_EQ(values[0], 0);
  EXPECT_TRUE(std::is_sorted(values.begin(), values.end()));
  EXPECT_LE(report["figures"]["largest_residual"].get<double>(), 1e-4);
  EXPECT_EQ(run({"cluster", graph, "--clusters", "5", "--method", "exact", "--eigen-tolerance", "1e-6",
                 "--passes", "1", "--output", path("l.txt")})
                .code,
            3);
}

TEST_F(Cluster, WritesTheSameBytesForAnyNumberOfThreads) {
  const std::string graph = block_model("g.mtx", 3000, 6);
  std::vector<std::string> bytes;
  for (const char* threads : {"1", "2", "3"}) {
    const Outcome outcome = run({"cluster", graph, "--clusters", "6", "--threads", threads, "--output",
                                 path("l.npy"), "--picture", path("p.png"), "--quiet"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    bytes.push_back(read_text(path("l.npy")) + read_text(path("p.png")));
  }
  EXPECT_EQ(bytes[0], bytes[1]);
  EXPECT_EQ(bytes[0], bytes[2]);
  EXPECT_EQ(bytes[0].rfind("\x93NUMPY", 0), 0u);
}

TEST_F(Cluster, ReportsInJson) {
  const std::string graph = block_model("g.mtx", 1000, 4);
  const Outcome outcome =
      run({"cluster", graph, "--clusters", "4", "--json", "--seed", "18446744073709551615"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json root = Json::parse(outcome.out);
  EXPECT_EQ(root["graph"]["nodes"], 1000);
  EXPECT_EQ(root["seed"], 18446744073709551615ull);
  EXPECT_EQ(root["options"]["seed"], root["seed"]);
  EXPECT_EQ(root["scores"]["sizes"].size(), 4u);
  std::int64_t nodes = 0;
  for (const auto& size : root["scores"]["sizes"]) nodes += size.get<std::int64_t>();
  EXPECT_EQ(nodes, 1000);
  double seconds = 0;
  for (const auto& stage : root["stages"]) seconds += stage["seconds"].get<double>();
  EXPECT_EQ(root["stages"][0]["name"], "read");
  EXPECT_NEAR(root["seconds"].get<double>(), seconds, 1e-9);
}

TEST_F(Cluster, ScoresOfTheReportAreThoseOfTheLabels) {
  const std::string graph = block_model("g.mtx", 1000, 4);
  const Outcome clustered =
      run({"cluster", graph, "--clusters", "4", "--json", "--output", path("labels.npy")});
  ASSERT_EQ(clustered.code, 0) << clustered.err;
  const Outcome scored = run({"score", path("labels.npy"), "--graph", graph, "--json"});
  ASSERT_EQ(scored.code, 0) << scored.err;
  EXPECT_EQ(Json::parse(clustered.out)["scores"], Json::parse(scored.out)["scores"]);
}

TEST_F(Cluster, LabelsWithoutIdsGoByPosition) {
  // The ids of a Matrix Market file begin at 1, those of a file without ids at 0.
  const std::string graph = block_model("g.mtx", 300, 3);
  for (const char* name : {"l.txt", "l.npy", "l.npy.gz"}) {
    ASSERT_EQ(run({"cluster", graph, "--clusters", "3", "--output", path(name)}).code, 0);
  }
  std::string column;
  for (const auto& [id, cluster] : numbered(parse_labels(read_text(path("l.txt"))))) {
    column += std::to_string(cluster) + "\n";
  }
  write("column.txt", column);
  for (const char* name : {"l.npy", "l.npy.gz", "column.txt"}) {
    SCOPED_TRACE(name);
    const Outcome scored = run({"score", path(name), "--graph", graph, "--truth", path("l.txt"), "--json"});
    ASSERT_EQ(scored.code, 0) << scored.err;
    EXPECT_EQ(scored.err, "");
    EXPECT_EQ(Json::parse(scored.out)["agreement"]["adjusted_rand"].get<double>(), 1);
  }
}

TEST_F(Cluster, ScoreSaysWhatIsNotCompared) {
  const std::string graph = write("g.txt", "1 2\n2 3\n");
  const std::string labels = write("l.txt", "1 a\n2 a\n3 b\n4 b\n");
  const Outcome more = run({"score", labels, "--graph", graph});
  EXPECT_EQ(more.code, 0);
  EXPECT_NE(more.err.find(graph + " has 3 nodes, " + labels + " has 4; the 3 that"), std::string::npos)
      << more.err;
  const Outcome fewer = run({"score", write("f.txt", "1 a\n2 a\n"), "--graph", graph});
  expect_one_error(fewer, 1, {"1 of the 3 nodes"});
}

TEST_F(Cluster, APerfectPartitionAgreesWithItself) {
  block_model("g.mtx", 500, 5);
  const Outcome scored = run({"score", path("truth.txt"), "--truth", path("truth.txt"), "--json"});
  ASSERT_EQ(scored.code, 0) << scored.err;
  EXPECT_DOUBLE_EQ(Json::parse(scored.out)["agreement"]["adjusted_rand"].get<double>(), 1);
}

TEST_F(Cluster, ConversionKeepsTheGraph) {
  const std::string graph = block_model("g.mtx", 500, 5);
  const Outcome direct = run({"cluster", graph, "--clusters", "5"});
  for (const char* name : {"copy.graph", "copy.npz", "copy.mtx.gz", "copy.edges.zst"}) {
    const Outcome converted = run({"convert", graph, path(name)});
    ASSERT_EQ(converted.code, 0) << converted.err;
    const Outcome back = run({"convert", path(name), path("back.mtx")});
    ASSERT_EQ(back.code, 0) << back.err;
    EXPECT_EQ(read_text(path("back.mtx")), read_text(graph)) << name;
  }
  EXPECT_EQ(direct.code, 0) << direct.err;
}

TEST_F(Cluster, ReadsTheStandardInput) {
  const std::string graph = write("g.txt", "1 2\n2 3\n3 1\n4 5\n5 6\n6 4\n3 4\n");
  const Outcome named = run({"cluster", graph, "--clusters", "2", "--quiet"});
  const Outcome piped = run({"cluster", "-", "--clusters", "2", "--quiet"}, graph);
  EXPECT_EQ(piped.code, 0) << piped.err;
  EXPECT_EQ(piped.out, named.out);
}

TEST_F(Cluster, ThePictureIsAPngOfTheStatedSize) {
  const std::string graph = block_model("g.mtx", 500, 5);
  const Outcome outcome =
      run({"cluster", graph, "--clusters", "5", "--output", path("l.txt"), "--picture", path("p.png")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string png = read_text(path("p.png"));
  ASSERT_GT(png.size(), 33u);
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(png.substr(16, 8), std::string("\0\0\x04\xb0\0\0\x03\x20", 8));  // 1200 × 800
}

TEST_F(Cluster, InfoIsReadByProgramsToo) {
  const Outcome outcome = run({"info", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json root = Json::parse(outcome.out);
  EXPECT_GE(root["threads"].get<int>(), 1);
  EXPECT_EQ(root["simd_target"], root["simd_targets"][0]);
  EXPECT_EQ(run({"--version"}).out, "parsimony " + root["version"].get<std::string>() + "\n");
}

}  // namespace
}  // namespace parsimony::cli
