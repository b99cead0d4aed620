// Outputs by their endings, by --output-format, and to the standard output.
#include "cli/command.hpp"
#include "core/files/npy_format.hpp"
#include "parsimony/core/npy.hpp"

namespace parsimony::cli {
namespace {

const std::string kPath = "0 1\n1 2\n2 3\n";

class Outputs : public Command {};

TEST_F(Outputs, AForeignEndingIsRefusedBeforeTheWork) {
  const std::string missing = "1 2\n2 x y z\n";  // a fault that would show if the file were read
  const std::string graph = write("g.txt", missing);
  for (const char* name : {"z.npy", "z.json", "z.bz2"}) {
    expect_one_error(run({"convert", graph, path(name)}), kUsage, {name, ".mtx", "--output-format"});
    expect_one_error(run({"generate", "sbm", "--nodes", "100", "--clusters", "3", "-o", path(name)}), kUsage,
                     {name, ".mtx"});
  }
  expect_one_error(run({"cluster", graph, "--clusters", "2", "--output", path("labels.npz")}), kUsage,
                   {"labels.npz", ".tsv, .csv, .npy"});
  expect_one_error(run({"generate", "sbm", "--nodes", "100", "--clusters", "3", "-o", path("g.mtx"),
                        "--labels", path("l.npz")}),
                   kUsage, {"l.npz", ".npy"});
  EXPECT_EQ(files(), (std::vector<std::string>{"g.txt"}));
}

TEST_F(Outputs, EveryFormatGoesThroughPipes) {
  const std::string graph = write("g.txt", kPath);
  for (const char* format : {"edge-list", "csv", "matrix-market", "npz", "gml", "pajek"}) {
    const Outcome written = run({"convert", "-", "-", "--output-format", format}, graph);
    ASSERT_EQ(written.code, 0) << written.err;
    const Outcome back = run({"convert", "-", "-"}, write("pipe", written.out));
    EXPECT_EQ(back.code, 0) << back.err;
    EXPECT_EQ(std::count(back.out.begin(), back.out.end(), '\n'), 3) << back.out;
  }
  const Outcome metis = run({"convert", graph, "-", "--output-format", "metis"});
  EXPECT_EQ(metis.out, "4 3\n2\n1 3\n2 4\n3\n");
  EXPECT_EQ(run({"convert", "-", "-", "--format", "metis"}, write("pipe", metis.out)).out,
            "1\t2\n2\t3\n3\t4\n");
}

TEST_F(Outputs, LabelsGoToTheStandardOutputAlone) {
  const std::string graph = write("g.txt", kPath);
  const std::vector<std::string> command{"cluster", graph, "--clusters", "2", "-q"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), command.begin(), command.end());
    return run(more);
  };
  const std::string labels = run(command).out;
  EXPECT_EQ(with({"--output", "-"}).out, labels);
  std::string commas = labels;
  std::replace(commas.begin(), commas.end(), '\t', ',');
  EXPECT_EQ(with({"--output-format", "csv"}).out, commas);
  EXPECT_EQ(with({"--output", "-", "--output-format", "npy"}).out.compare(0, 6, "\x93NUMPY"), 0);
  expect_one_error(with({"--output", "-", "--json"}), kUsage, {"--output", "--json"});
}

TEST_F(Outputs, TheStandardOutputIsAppendedTo) {
  const std::string graph = write("g.txt", "0 1\n");
  write("all.txt", "kept\n");
  const std::string shell = places::command() + " convert -q " + graph + " - >> " + path("all.txt");
  EXPECT_EQ(std::system(shell.c_str()), 0);
  EXPECT_EQ(read_text(path("all.txt")), "kept\n0\t1\n");
}

TEST_F(Outputs, AMatrixOfSimilaritiesIsNoArrayOfPoints) {
  // Two groups of four nodes that are similar within.
  Matrix<double> similar(8, 8);
  for (std::int64_t i = 0; i < 8; ++i) {
    for (std::int64_t j = 0; j < 8; ++j) similar(i, j) = i / 4 == j / 4 ? 1 : 0.01;
  }
  write_npy(path("w.npy"), similar);
  const Outcome points = run({"cluster", path("w.npy"), "--clusters", "2", "-q"});
  EXPECT_NE(points.err.find("symmetric matrix of 8 rows is taken for points"), std::string::npos)
      << points.err;
  const Outcome graph = run({"cluster", path("w.npy"), "--clusters", "2", "-q", "--affinity"});
  EXPECT_EQ(graph.out, "0\t0\n1\t0\n2\t0\n3\t0\n4\t1\n5\t1\n6\t1\n7\t1\n");
  EXPECT_EQ(graph.err, "");
  const std::vector<std::int64_t> pairs{0, 1, 1, 2, 2, 3, 3, 0};
  const std::int64_t shape[] = {4, 2};
  const std::string edges =
      npy_header("<i8", shape) + std::string(reinterpret_cast<const char*>(pairs.data()), 64);
  const Outcome taken =
      run({"knn-graph", write("e.npy", edges), "--neighbors", "1", "-q", "-o", path("g.txt")});
  EXPECT_NE(taken.err.find("4 pairs of whole numbers are taken for points"), std::string::npos) << taken.err;
}

TEST_F(Outputs, BipartiteGraphsAreClusteredAsOne) {
  // Two blocks: left 1, 2 with right 1, 2 and left 3, 4 with right 3, 4.
  const std::string graph = write("g.txt", "% bip unweighted\n1 1\n1 2\n2 1\n2 2\n3 3\n3 4\n4 3\n4 4\n2 3\n");
  const Outcome outcome = run({"cluster", graph, "--clusters", "2", "-q"});
  EXPECT_EQ(outcome.out,
            "left:1\t0\nleft:2\t0\nleft:3\t1\nleft:4\t1\nright:1\t0\nright:2\t0\nright:3\t1\nright:4\t1\n");
}

}  // namespace
}  // namespace parsimony::cli
