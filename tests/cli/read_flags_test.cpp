// Graphs and labels as other programs write them: their messages, and the flags that say how to read them.
#include <nlohmann/json.hpp>

#include "cli/command.hpp"

namespace parsimony::cli {
namespace {

using Json = nlohmann::json;

// Two cliques of six nodes, joined by an edge.
class ReadFlags : public Command {
 protected:
  std::string cliques(const std::string& name, const std::string& between, const std::string& end = "",
                      const std::string& header = "") const {
    std::string text = header;
    for (int a = 0; a < 12; ++a) {
      for (int b = a + 1; b < 12; ++b) {
        if (a / 6 != b / 6 && (a != 5 || b != 6)) continue;
        text += std::to_string(a) + between + std::to_string(b) + end + "\n";
      }
    }
    return write(name, text);
  }

  std::string labels(const std::string& name, const std::string& header, bool ids, int rule) const {
    std::string text = header;
    for (int i = 0; i < 12; ++i) {
      text += (ids ? std::to_string(i) + "," : "") + std::to_string(rule == 2 ? i % 2 : i / 6) + "\n";
    }
    return write(name, text);
  }

  Json graph_of(const std::vector<std::string>& words, const std::string& part_of_err = "") const {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.err.find(part_of_err), std::string::npos) << part_of_err << " in " << outcome.err;
    return outcome.code == 0 ? Json::parse(outcome.out)["graph"] : Json{};
  }
};

TEST_F(ReadFlags, AHeaderIsSaidAlsoToQuietRuns) {
  const std::string graph = cliques("g.csv", ",", "", "source,target\n");
  const Json json = graph_of({"cluster", graph, "--clusters", "2", "-q", "--json"},
                             "parsimony: warning: " + graph + ":1: taken for a header and skipped");
  EXPECT_EQ(json["nodes"], 12);
  EXPECT_EQ(json["edges"], 31);
}

TEST_F(ReadFlags, ColumnsAndWeightsAreChosen) {
  const std::string rated = cliques("g.csv", ",", ",-6,1289241911", "a,b,rating,time\n");
  for (const std::vector<std::string>& flags : std::vector<std::vector<std::string>>{
           {"--columns", "1,2"}, {"--columns=b,a"}, {"--columns", "1,2,3", "--unweighted"}}) {
    std::vector<std::string> words{"convert", rated, path("o.npz"), "--json"};
    words.insert(words.end(), flags.begin(), flags.end());
    const Json json = graph_of(words);
    EXPECT_EQ(json["nodes"], 12);
    EXPECT_EQ(json["edges"], 31);
    EXPECT_EQ(json["weighted"], false);
  }
  expect_one_error(run({"convert", rated, path("o.npz")}), kFailed, {"4 columns", "'rating'", "--columns"});
  expect_one_error(run({"convert", rated, path("o.npz"), "--columns", "a,c"}), kUsage,
                   {"--columns: no column is named 'c'"});
  const std::string timed = cliques("t.txt", " ", " 1082040961");
  write("t.txt", read_text(timed) + "11 0 1082049999\n");
  graph_of({"convert", timed, path("o.npz"), "--json", "-q"}, "look like times");
  graph_of({"convert", timed, path("o.npz"), "--json", "-q"}, "--unweighted leaves them out");
}

TEST_F(ReadFlags, PointsAreNotTakenForEdges) {
  const std::string points = write("p.csv", "x,y\n0.5,1\n1.5,2\n9.25,7\n");
  expect_one_error(run({"cluster", points, "--clusters", "2"}), kFailed,
                   {points, "looks like points: ids are fractions", "--points"});
}

TEST_F(ReadFlags, AHeaderShiftsNoLabel) {
  const std::string graph = cliques("g.txt", " "), plain = labels("l.csv", "", true, 1);
  const std::string one = labels("one.csv", "cluster\n", false, 1),
                    two = labels("two.csv", "node,cluster\n", true, 2);
  const std::string named = labels("named.csv", "node,cluster\n", true, 1);
  for (const std::string& file : {plain, one, named}) {
    const Outcome scored = run({"score", file, "--graph", graph, "--truth", plain, "--json"});
    ASSERT_EQ(scored.code, 0) << scored.err;
    const Json json = Json::parse(scored.out);
    EXPECT_NEAR(json["scores"]["modularity"].get<double>(), 0.467742, 5e-7) << "as igraph has it";
    EXPECT_EQ(json["agreement"]["adjusted_rand"], 1);
    EXPECT_EQ(json["nodes"], 12);
  }
  const Json apart = Json::parse(run({"score", two, "--truth", named, "--json"}).out)["agreement"];
  EXPECT_NEAR(apart["adjusted_rand"].get<double>(), -0.1, 1e-12) << "as scikit-learn has it";
  EXPECT_NEAR(apart["normalized_mutual_information"].get<double>(), 0, 1e-12);
  const std::string more = write("more.csv", read_text(one) + "1\n");
  const Outcome refused = run({"score", more, "--graph", graph});
  EXPECT_EQ(refused.code, kFailed);
  EXPECT_NE(refused.err.find("more.csv: 13 labels, but " + graph + " has 12"), std::string::npos)
      << refused.err;
}

TEST_F(ReadFlags, SelfLoopsAreScoredOrMissed) {
  const std::string graph = write("g.txt", "0 0\n0 1\n"), both = write("l.txt", "0 a\n1 b\n");
  const Outcome without = run({"score", both, "--graph", graph, "--json", "-q"});
  EXPECT_EQ(Json::parse(without.out)["scores"]["modularity"], -0.5);
  EXPECT_NE(without.err.find("warning: " + graph + ": 1 self loop is not in the scores; --self-loops counts"),
            std::string::npos)
      << without.err;
  const Outcome with = run({"score", both, "--graph", graph, "--json", "-q", "--self-loops"});
  EXPECT_EQ(Json::parse(with.out)["scores"]["modularity"], -0.125) << "as networkx has it";
  EXPECT_EQ(with.err, "");
}

}  // namespace
}  // namespace parsimony::cli
