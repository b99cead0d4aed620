// Every mistake gives one line and the right exit code, and nothing is written.
#include <algorithm>

#include "cli/command.hpp"

namespace parsimony::cli {
namespace {

class Errors : public Command {
 protected:
  Outcome cluster(const std::string& graph, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"cluster", graph, "--clusters", "2", "--output", path("labels.txt")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  // A broken file is named with its line (0: without a line), and there is no output.
  void expect_broken(const std::string& name, const std::string& content, int line) const {
    SCOPED_TRACE(name + ": " + content);
    const std::string file = write(name, content);
    expect_one_error(cluster(file), kFailed, {line > 0 ? file + ":" + std::to_string(line) : file});
    EXPECT_FALSE(std::filesystem::exists(path("labels.txt")));
  }
};

constexpr const char* kMatrix = "%%MatrixMarket matrix coordinate real symmetric\n";

TEST_F(Errors, UnknownWordsAreNamedWithWhatWasMeant) {
  expect_one_error(run({"clutser", "g.txt"}), kUsage, {"clutser", "did you mean cluster?"});
  expect_one_error(run({"cluster", "g.txt", "--cluster", "3"}), kUsage,
                   {"--cluster'", "did you mean --clusters?"});
  expect_one_error(run({"cluster", "g.txt", "--clusters", "3", "--xyzzy"}), kUsage,
                   {"--xyzzy", "cluster --help"});
  expect_one_error(run({}), kUsage, {"--help"});
  expect_one_error(run({"convert", "g.txt", "--format"}), kUsage, {"--format needs a value"});
  expect_one_error(run({"cluster", "g.txt", "--clusters", "2", "--output", "a", "--output", "b"}), kUsage,
                   {"--output is given more than once"});
}

// As of a shell variable that is not set: not as if the flag were missing.
TEST_F(Errors, AnEmptyNameOfAFileIsRefused) {
  const std::string graph = write("edges.txt", "1 2\n2 3\n");
  for (const std::string flag : {"--output", "--picture", "--save-model", "--warm-start", "--report"}) {
    expect_one_error(run({"cluster", graph, "--clusters", "2", flag, ""}), kUsage,
                     {flag + ": the name is empty"});
  }
  expect_one_error(run({"cluster", "", "--clusters", "2"}), kUsage, {"GRAPH: the name is empty"});
  expect_one_error(run({"convert", graph, ""}), kUsage, {"OUT: the name is empty"});
  expect_one_error(run({"generate", "sbm", "--output", ""}), kUsage, {"--output: the name is empty"});
}

TEST_F(Errors, ValuesOfFlagsAreCheckedBeforeTheFile) {
  const std::string missing = path("missing.txt");
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"--order", "0"},           {"--order", "ten"},
      {"--order", "1.5"},         {"--order", "99999999999999999999"},
      {"--assign", "magic"},      {"--regularization", "x"},
      {"--regularization", "-2"}, {"--regularization", "nan"},
      {"--max-memory", "4QiB"},   {"--max-memory", "-1"},
      {"--threads", "-1"},        {"--seed", "-1"},
      {"--restarts", "0"},        {"--samples", "1e300"},
      {"--laplacian", ""},        {"--objective", "beauty"},
      {"--effort", "some"},       {"--method", "magic"}};
  for (const auto& [flag, value] : wrong) {
    expect_one_error(run({"cluster", missing, "--clusters", "2", flag + "=" + value}), kUsage, {flag});
  }
  expect_one_error(run({"cluster", missing, "--clusters", "0"}), kUsage, {"--clusters"});
  expect_one_error(run({"cluster", missing, "--clusters", "2", "--order", "9"}), kUsage,
                   {"--order", "--method auto", "compressive"});
  expect_one_error(
      run({"cluster", missing, "--clusters", "2", "--method", "compressive", "--effort", "fast"}), kUsage,
      {"--effort", "--method compressive", "auto"});
  expect_one_error(run({"cluster", missing}), kUsage, {"--clusters"});
  expect_one_error(run({"score", missing}), kUsage, {"--graph", "--truth"});
}

TEST_F(Errors, AMethodTakesItsOwnFlagsOnly) {
  const std::string missing = path("missing.txt");
  expect_one_error(run({"cluster", missing, "--clusters", "2", "--method", "magic"}), kUsage,
                   {"--method", "magic"});
  for (const char* flag : {"--samples=100", "--assign=nearest", "--sampling=energy"}) {
    const std::string name = std::string(flag).substr(0, std::string(flag).find('='));
    expect_one_error(run({"cluster", missing, "--clusters", "2", "--method", "filtered", flag}), kUsage,
                     {name, "filtered", "compressive"});
  }
}

TEST_F(Errors, FlagsOfTheExactMethod) {
  const std::string missing = path("missing.txt");
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"--oversampling", "-1"},   {"--oversampling", "1.5"}, {"--eigen-tolerance", "2"},
      {"--eigen-tolerance", "x"}, {"--passes", "0"},         {"--passes", "many"}};
  for (const auto& [flag, value] : wrong) {
    expect_one_error(run({"cluster", missing, "--clusters", "2", "--method", "exact", flag + "=" + value}),
                     kUsage, {flag});
  }
  // Flags of another method.
  expect_one_error(run({"cluster", missing, "--clusters", "2", "--passes", "9"}), kUsage,
                   {"--passes", "exact"});
  expect_one_error(run({"cluster", missing, "--clusters", "2", "--method", "exact", "--order", "9"}), kUsage,
                   {"--order", "compressive"});
  expect_one_error(run({"cluster", missing, "--clusters", "2", "--method", "exactly"}), kUsage, {"--method"});
  const std::string graph = block_model("g.mtx", 3000, 3);
  expect_one_error(cluster(graph, {"--method", "exact", "--max-memory", "1MB"}), kFailed, {"--max-memory"});
}

TEST_F(Errors, TheErrorOfDistances) {
  const std::string missing = path("missing.txt");
  for (const char* flag :
       {"--error=1", "--error=-0.1", "--error=small", "--failure-probability=0", "--failure-probability=1"}) {
    const std::string name = std::string(flag).substr(0, std::string(flag).find('='));
    expect_one_error(run({"cluster", missing, "--clusters", "2", "--method", "filtered", flag}), kUsage,
                     {name});
  }
  expect_one_error(run({"cluster", missing, "--clusters", "2", "--method", "exact", "--error", "0.2"}),
                   kUsage, {"--error", "compressive", "filtered"});
  const std::string graph = write("g.txt", "1 2\n2 3\n3 4\n");
  expect_one_error(run({"cluster", graph, "--clusters", "2", "--method", "filtered", "--error", "0.2",
                        "--features", "16"}),
                   kUsage, {"--error: 0.2", "features"});
  expect_one_error(run({"cluster", graph, "--clusters", "2", "--method", "compressive", "--error", "0.2",
                        "--lambda-k", "0.1"}),
                   kUsage, {"--error: 0.2", "lambda_k"});
}

TEST_F(Errors, TheRangeOfTheNumberOfClusters) {
  const std::string missing = path("missing.txt");
  const auto refused = [&](std::vector<std::string> more, const std::vector<std::string>& parts) {
    more.insert(more.begin(), {"cluster", missing});
    expect_one_error(run(more), kUsage, parts);
  };
  refused({"--clusters", "some"}, {"--clusters", "some"});
  refused({"--clusters", "5", "--min-clusters", "3"}, {"--min-clusters", "--clusters auto"});
  refused({"--clusters", "5", "--max-clusters", "30"}, {"--max-clusters", "--clusters auto"});
  refused({"--clusters", "auto", "--min-clusters", "1"}, {"--min-clusters"});
  refused({"--clusters", "auto", "--max-clusters", "1"}, {"--max-clusters"});
  refused({"--clusters", "auto", "--min-clusters", "9", "--max-clusters", "4"},
          {"--min-clusters: 9", "--max-clusters"});
  const std::string graph = write("g.txt", "1 2\n2 3\n");
  expect_one_error(run({"cluster", graph, "--clusters", "auto", "--min-clusters", "4"}), kUsage,
                   {"--min-clusters: 4", "3 nodes"});
  const std::string large = block_model("g.mtx", 3000, 3);
  expect_one_error(run({"cluster", large, "--clusters", "auto", "--max-memory", "2MB"}), kFailed,
                   {"--max-memory", "2000000", "about"});
}

TEST_F(Errors, RefinementsThatAMethodDoesNotHave) {
  const std::string graph = write("g.txt", "1 2\n2 3\n3 4\n");
  const auto refused = [&](const char* method, const char* refine, const std::vector<std::string>& parts) {
    expect_one_error(run({"cluster", graph, "--clusters", "2", "--method", method, "--refine", refine}),
                     kUsage, parts);
  };
  refused("compressive", "magic", {"--refine", "magic", "none|lloyd|moves"});
  refused("filtered", "lloyd", {"--refine: lloyd", "must be none or moves"});
  refused("exact", "lloyd", {"--refine: lloyd", "must be none or moves"});
  refused("auto", "moves", {"--refine", "auto", "compressive"});
}

TEST_F(Errors, FilesThatCannotBeReadOrWritten) {
  const std::string graph = write("g.txt", "1 2\n2 3\n");
  expect_one_error(cluster(path("missing.txt")), kFailed, {"missing.txt"});
  expect_one_error(cluster(path(".")), kFailed, {"directory"});
  expect_one_error(run({"cluster", graph, "--clusters", "2", "--output", path("no/where.txt")}), kFailed,
                   {"--output", path("no")});
  expect_one_error(run({"cluster", graph, "--clusters", "2", "--output", path(".")}), kUsage,
                   {"--output", "directory"});
  expect_one_error(run({"cluster", graph, "--clusters", "2", "--output", graph}), kUsage, {"overwrite"});
  EXPECT_EQ(read_text(graph), "1 2\n2 3\n");
  expect_one_error(run({"convert", graph, "-", "--json"}), kUsage, {"OUT", "--json"});
  expect_one_error(run({"cluster", graph, "--clusters", "2", "--picture", path("p.jpg")}), kUsage,
                   {"--picture", ".png"});
}

TEST_F(Errors, OutputsMustDiffer) {
  const std::string here = path("g.mtx"), same = path("./g.mtx");
  expect_one_error(run({"generate", "sbm", "--output", here, "--labels", same}), kUsage,
                   {"--labels: would overwrite", here});
  const std::string graph = write("g.txt", "1 2\n2 3\n");
  expect_one_error(run({"cluster", graph, "--clusters", "2", "--output", path("p.png"), "--output-format",
                        "tsv", "--picture", path("p.png")}),
                   kUsage, {"--picture: would overwrite"});
  EXPECT_EQ(files(), (std::vector<std::string>{"g.txt"}));
  expect_one_error(
      run({"generate", "sbm", "--output", std::filesystem::relative(here).string(), "--labels", same}),
      kUsage, {"--labels: would overwrite"});
}

TEST_F(Errors, ANoteIsOneLineWhateverTheFileIsCalled) {
  const Outcome noted = cluster(write("two\nlines.txt", "1 1\n1 2\n2 3\n"));
  EXPECT_EQ(noted.code, 0);
  EXPECT_EQ(std::count(noted.err.begin(), noted.err.end(), '\n'), 1) << noted.err;
}

TEST_F(Errors, TheLibrarysOptionsAreNamedAsFlags) {
  const std::string output = path("g.mtx");
  expect_one_error(run({"generate", "sbm", "--degree-exponent", "1.5", "--output", output}), kUsage,
                   {"--degree-exponent: 1.5"});
  expect_one_error(run({"generate", "sbm", "--degree", "0.5", "--output", output}), kUsage,
                   {"--degree: 0.5", "or --epsilon-ratio 0"});
  const std::string graph = write("g.txt", "1 2\n2 3\n");
  expect_one_error(run({"cluster", graph, "--clusters", "4"}), kUsage, {"--clusters: 4"});
}

TEST_F(Errors, ModelsThatCannotBe) {
  const std::string output = path("g.mtx");
  const auto refused = [&](std::vector<std::string> flags, const std::vector<std::string>& parts) {
    flags.insert(flags.begin(), {"generate", "lfr", "--output", output});
    expect_one_error(run(flags), kUsage, parts);
  };
  for (const char* flag :
       {"--nodes", "--mean-degree", "--max-degree", "--degree-exponent", "--community-exponent",
        "--min-community", "--max-community", "--mixing", "--weight-mixing", "--weights", "--seed"}) {
    refused({flag, "-7"}, {flag});
    refused({flag, "many"}, {flag, "many"});
  }
  refused({"--mixing", "1.1"}, {"--mixing", "1.1"});
  refused({"--weight-mixing", "0"}, {"--weight-mixing: 0"});
  refused({"--max-degree", "200"}, {"--max-community: 100", "141"});
  refused({"--mean-degree", "2"}, {"--mean-degree: 2", "--degree-exponent 2.5"});
  refused({"--nodes", "60"}, {"--max-community: 100", "60"});
  expect_one_error(run({"generate", "sbm", "--weights", "heavy", "--output", output}), kUsage,
                   {"--weights", "unit|lognormal"});
  expect_one_error(run({"generate", "lfr"}), kUsage, {"--output"});
  EXPECT_TRUE(files().empty());
}

TEST_F(Errors, AWarmStartThatDoesNotFit) {
  const std::string graph = write("g.txt", "1 2\n2 3\n3 4\n");
  const auto refused = [&](const std::string& labels, const std::vector<std::string>& parts) {
    expect_one_error(cluster(graph, {"--method", "filtered", "--warm-start", write("earlier.txt", labels)}),
                     kUsage, parts);
  };
  refused("1 0\n2 0\n3 1\n4 2\n", {"--warm-start", "has 3 clusters", "--clusters", "2"});
  refused("1 0\n2 0\n8 1\n9 1\n", {"--warm-start", "cluster 1"});
  refused("0\n1\n0\n", {"--warm-start", "3 entries", "4 nodes"});
  expect_one_error(cluster(graph, {"--method", "filtered", "--warm-start", write("earlier.txt", "1 0 7\n")}),
                   kFailed, {"earlier.txt:1"});
  expect_one_error(cluster(graph, {"--method", "filtered", "--warm-start", path("none.txt")}), kFailed,
                   {"none.txt"});
  expect_one_error(cluster(graph, {"--method", "filtered", "--lambda-k", "-1"}), kUsage, {"--lambda-k"});
  expect_one_error(cluster(graph, {"--method", "filtered", "--lambda-k", "3"}), kUsage,
                   {"--lambda-k: 3", "2"});
  expect_one_error(run({"cluster", graph, "--clusters", "auto", "--warm-start", graph}), kUsage,
                   {"--warm-start", "auto"});
  expect_one_error(cluster(graph, {"--method", "exact", "--warm-start", graph}), kUsage,
                   {"--warm-start", "exact", "auto"});
  EXPECT_FALSE(std::filesystem::exists(path("labels.txt")));
}

TEST_F(Errors, MoreClustersThanNodes) {
  const std::string graph = write("g.txt", "1 2\n2 3\n");
  expect_one_error(run({"cluster", graph, "--clusters", "4"}), kUsage, {"4", "3"});
}

TEST_F(Errors, TooLittleMemory) {
  const std::string graph = block_model("g.mtx", 3000, 3);
  expect_one_error(cluster(graph, {"--max-memory", "1kB"}), kFailed, {"the program alone", "--max-memory"});
  for (const char* method : {"compressive", "filtered"}) {
    expect_one_error(cluster(graph, {"--method", method, "--max-memory", "1MB"}), kFailed, {"--max-memory"});
  }
}

TEST_F(Errors, BrokenEdgeLists) {
  expect_broken("empty.txt", "", 0);
  expect_broken("comments.txt", "# nothing\n", 0);
  expect_broken("text.txt", "1 2\n2 3\n3 4 heavy\n", 3);
  expect_broken("one.txt", "1 2\n2\n", 2);
  expect_broken("nan.txt", "1 2 1\n2 3 nan\n", 2);
  expect_broken("infinite.txt", "1 2 inf\n", 1);
  expect_broken("negative.txt", "1 2 1\n2 3 -4\n", 2);
}

TEST_F(Errors, BrokenMatrices) {
  const std::string matrix = kMatrix;
  expect_broken("empty.mtx", "", 0);
  expect_broken("header.mtx", "%%MatrixMarket tensor\n3 3 1\n1 2 1\n", 1);
  expect_broken("negative.mtx", matrix + "-3 -3 1\n2 1 1\n", 2);
  expect_broken("overflow.mtx", matrix + "99999999999999999999 3 1\n2 1 1\n", 2);
  expect_broken("huge.mtx", matrix + "3 3 4000000000000000000\n2 1 1\n", 2);
  expect_broken("short.mtx", matrix + "3 3 2\n2 1 1\n", 0);
  expect_broken("outside.mtx", matrix + "3 3 1\n4 1 1\n", 3);
  expect_broken("nan.mtx", matrix + "3 3 2\n2 1 1\n3 1 nan\n", 4);
  expect_broken("text.mtx", matrix + "3 3 2\n2 1 1\n3 one 1\n", 4);
}

TEST_F(Errors, BrokenMetisFiles) {
  expect_broken("empty.graph", "", 0);
  expect_broken("count.graph", "-3 2\n2\n1 3\n2\n", 1);
  expect_broken("outside.graph", "3 2\n2\n1 4\n2\n", 3);
  expect_broken("text.graph", "3 2\n2\n1 x\n2\n", 3);
}

TEST_F(Errors, TruncatedCompression) {
  const std::string graph = block_model("g.mtx", 500, 5);
  for (const char* name : {"whole.txt.gz", "whole.mtx.zst", "whole.npz"}) {
    ASSERT_EQ(run({"convert", graph, path(name)}).code, 0);
    const std::string bytes = read_text(path(name));
    ASSERT_GT(bytes.size(), 100u);
    expect_broken(std::string("cut") + (name + 5), bytes.substr(0, bytes.size() / 2), 0);
  }
}

TEST_F(Errors, AnAsymmetricMatrixNeedsTheFlag) {
  const std::string text =
      "%%MatrixMarket matrix coordinate real general\n3 3 4\n1 2 1\n2 1 1\n2 3 1\n3 1 2\n";
  expect_broken("directed.mtx", text, 0);
  const Outcome refused = cluster(path("directed.mtx"));
  EXPECT_NE(refused.err.find("; --symmetrize takes"), std::string::npos) << refused.err;
  const Outcome taken = cluster(path("directed.mtx"), {"--symmetrize", "--quiet"});
  EXPECT_EQ(taken.code, 0) << taken.err;
}

TEST_F(Errors, AFullDiskIsNoSuccess) {
  const std::string graph = block_model("g.mtx", 500, 5);
  const std::string shell =
      places::command() + " cluster " + graph + " --clusters 5 > /dev/full 2> " + path("stderr");
  const int status = std::system(shell.c_str());
  EXPECT_EQ(WEXITSTATUS(status), kFailed);
  EXPECT_NE(read_text(path("stderr")).find("standard output"), std::string::npos);
}

TEST_F(Errors, HelpIsNoErrorAndShowsAnExample) {
  for (const char* verb : {"cluster", "score", "generate", "convert", "info"}) {
    const Outcome outcome = run({verb, "--help"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_NE(outcome.out.find(std::string("\n  parsimony ") + verb), std::string::npos) << outcome.out;
  }
  EXPECT_NE(run({"--help"}).out.find("3 not converged, 130 cancelled"), std::string::npos);
  const std::string help = run({"cluster", "--help"}).out;
  for (const char* part :
       {"--lambda-method", "interpolate|filter|nearest", "default auto", "auto or 1 to 100000"}) {
    EXPECT_NE(help.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace parsimony::cli
