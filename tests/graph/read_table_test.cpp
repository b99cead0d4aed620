// Edge lists as spreadsheets, R, pandas and collections of data sets write them.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "expect_error.hpp"
#include "graph/file/formats.hpp"
#include "graph/graph_checks.hpp"
#include "temporary_directory.hpp"

namespace parsimony::graph::read_table_test {
namespace {

struct Heard {
  GraphFile file;
  std::string notes, warnings;
};

Heard hear(const std::string& content, const ReadOptions& options = {}) {
  Heard out;
  Context context(1);
  context.on_log = [&](LogLevel level, std::string_view text) {
    (level == LogLevel::warning ? out.warnings : out.notes) += std::string(text) + "\n";
  };
  out.file = parse_graph(content, "a.csv", options, context);
  return out;
}

void expect_said(const std::string& said, const std::string& part) {
  EXPECT_NE(said.find(part), std::string::npos) << part << " in: " << said;
}

std::vector<std::string> names_of(const GraphFile& file) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < file.ids.size(); ++i) names.push_back(file.ids.name(i));
  return names;
}

using Ids = std::vector<std::string>;

// Two cliques of six nodes, joined by an edge: 12 nodes, 31 edges. Each edge is a line made of two numbers.
template <class Line>
std::string two_cliques(const Line& line) {
  std::string text;
  for (int side = 0; side < 12; side += 6) {
    for (int b = 1; b < 6; ++b) {
      for (int a = 0; a < b; ++a) text += line(side + a, side + b) + "\n";
    }
  }
  return text + line(5, 6) + "\n";
}

std::string digits(int a, const std::string& between, int b) {
  return std::to_string(a) + between + std::to_string(b);
}

void expect_two_cliques(const GraphFile& file, float weight = 1) {
  EXPECT_EQ(file.graph.nodes(), 12);
  const EdgeMap edges = edges_of(file.graph);
  EXPECT_EQ(edges.size(), 31u);
  for (const auto& [ends, w] : edges) EXPECT_EQ(w, weight);
  EXPECT_EQ(file.self_loops_dropped + file.duplicates_merged + file.zeros_dropped, 0);
}

TEST(ReadTable, IdsKeepLeadingZerosAndSigns) {
  EXPECT_EQ(names_of(hear("0306406152 0439023481\n0439023481 9780306406157\n").file),
            (Ids{"0306406152", "0439023481", "9780306406157"}));
  const Heard merged = hear("007 8\n7 9\n08 7\n");
  EXPECT_EQ(names_of(merged.file), (Ids{"007", "08", "7", "8", "9"}));
  EXPECT_EQ(merged.file.graph.edges(), 3);
  expect_said(merged.notes, "a.csv:1: the id '007'");
  EXPECT_EQ(names_of(hear("1 2\n-0 +5\n5 0\n").file), (Ids{"+5", "-0", "0", "1", "2", "5"}));
  EXPECT_EQ(names_of(hear("10 0\n-3 0\n").file), (Ids{"-3", "0", "10"}));
}

TEST(ReadTable, AHeaderIsSkippedAndSaid) {
  const auto comma = [](int a, int b) { return digits(a, ",", b); };
  for (const char* header : {"source,target", "\"from\",\"to\"", "one , two", "x;1,y"}) {
    const Heard heard = hear("# c\n" + std::string(header) + "\n" + two_cliques(comma));
    expect_two_cliques(heard.file);
    EXPECT_EQ(heard.file.ids.name(2), "2") << "ids stay numbers";
    expect_said(heard.warnings, "a.csv:2: taken for a header and skipped: ");
  }
  const Heard weighted = hear("From Node,To Node,Value\n" +
                              two_cliques([](int a, int b) { return digits(a, ",", b) + ",2.5"; }));
  expect_two_cliques(weighted.file, 2.5f);
  expect_said(weighted.warnings, "'From Node', 'To Node', 'Value'");
  EXPECT_EQ(names_of(hear("source target weight\nann bob 2\nbob cat 3\n").file), (Ids{"ann", "bob", "cat"}));
  EXPECT_EQ(names_of(hear("SourceID,Target\nann,bob\nbob,cat\n").file), (Ids{"ann", "bob", "cat"}));
  EXPECT_EQ(names_of(hear("county,next\n01001,01003\n01003,01005\n").file), (Ids{"01001", "01003", "01005"}));
}

TEST(ReadTable, AFirstLineLikeTheOthersIsAnEdge) {
  for (const char* text : {"ann bob\nbob cat\n", "source target\ntarget sink\n", "ann bob\n", "a 1\n2 3\n"}) {
    const Heard heard = hear(text);
    EXPECT_EQ(heard.warnings, "") << text;
    EXPECT_EQ(heard.file.graph.edges(), std::count(text, text + std::string(text).size(), '\n'));
  }
}

TEST(ReadTable, RowNumbersOfRAndPandasAreNotNodes) {
  int line = 0;
  const auto numbered = [&](int a, int b) { return std::to_string(++line) + "," + digits(a, ",", b); };
  expect_two_cliques(hear("\"\",\"from\",\"to\"\n" + two_cliques(numbered)).file);
  line = -1;
  expect_two_cliques(hear(",a,b\n" + two_cliques(numbered)).file);
  line = 0;
  const auto quoted = [&](int a, int b) {
    return "\"" + std::to_string(++line) + "\" \"n " + digits(a, "\" \"n ", b) + "\" 1.5";
  };
  expect_error(ErrorCode::format, "a.csv:2: 3 columns; every line needs 2",
               [] { hear("\"from\" \"to\"\n\"2\" \"a\" \"b\"\n\"2\" \"b\" \"c\"\n"); });
  const std::string rows = two_cliques(quoted);
  expect_two_cliques(hear("\"from\" \"to\" \"w\"\n" + rows).file, 1.5f);
  expect_two_cliques(hear("\"a\" \"b\" \"w\"\n" + rows, {.columns = "b,a"}).file);
  expect_two_cliques(hear("\"a\" \"b\" \"w\"\n" + rows, {.columns = "2,3,4"}).file, 1.5f);
}

TEST(ReadTable, NamesOfAHeaderChooseTheColumns) {
  const auto gephi = [](int a, int b) {
    return "Undirected," + std::to_string(a) + "," + digits(a + b, ",", b) + ",,4";
  };
  const Heard heard = hear("Type,Source,Id,Target,Label,Weight\n" + two_cliques(gephi));
  expect_two_cliques(heard.file, 4);
  expect_said(heard.warnings, "; edges are the columns 'Source' and 'Target', weights 'Weight'");
}

TEST(ReadTable, QuotesAreThoseOfRfc4180) {
  const auto quoted = [](int a, int b) { return "\"n" + digits(a, "\",\"n", b) + "\""; };
  const Heard plain = hear(two_cliques(quoted));
  expect_two_cliques(plain.file);
  EXPECT_EQ(plain.file.ids.name(0), "n0");
  const Heard cities =
      hear("\"New York\",\"Washington, D.C.\"\n\"The \"\"Bay\"\"\" , \"New York\"\r\nRome,\"#5\"\n");
  EXPECT_EQ(names_of(cities.file), (Ids{"#5", "New York", "Rome", "The \"Bay\"", "Washington, D.C."}));
  EXPECT_EQ(cities.file.graph.edges(), 3);
  const Heard numbers = hear(two_cliques([](int a, int b) { return "\"" + digits(a, "\",\"", b) + "\""; }));
  expect_two_cliques(numbers.file);
  EXPECT_EQ(numbers.file.ids.name(2), "2") << "numbers in quotes are numbers";
  EXPECT_EQ(names_of(hear("\"New York\" Rome\nRome Oslo\n").file), (Ids{"New York", "Oslo", "Rome"}));
  EXPECT_EQ(names_of(hear("5\" 7\"\n7\" 9\"\n").file), (Ids{"5\"", "7\"", "9\""}));
  expect_error(ErrorCode::format, "a.csv:2: the quote before 'b,c' is not closed",
               [] { hear("a,b\n\"b,c\n"); });
  expect_error(ErrorCode::format, "a.csv:2: 'x' follows a closing quote", [] { hear("a,b\nc,\"b\"x\n"); });
  expect_error(ErrorCode::format, "a.csv:1: a column is empty", [] { hear("\"\",b\n1,2\nx,y\n"); });
}

TEST(ReadTable, BlanksBelongToNamesBetweenTabsOrCommas) {
  const auto names = [](const char* between) {
    return two_cliques([&](int a, int b) { return "Area " + digits(a, std::string(between) + "Area ", b); });
  };
  for (const char* between : {"\t", ",", " , ", ";", "\t "}) {
    const Heard heard = hear(names(between));
    expect_two_cliques(heard.file);
    EXPECT_EQ(heard.file.ids.name(0), "Area 0");
  }
  EXPECT_EQ(names_of(hear("Smith, John\tDoe, Jane\nDoe, Jane\tRoe\t\n").file),
            (Ids{"Doe, Jane", "Roe", "Smith, John"}));
  EXPECT_EQ(edges_of(hear("1\t2 0.5\n2\t3 0.5\n").file.graph).size(), 2u) << "numbers part at blanks, too";
}

TEST(ReadTable, SemicolonsAndDecimalCommas) {
  expect_two_cliques(hear(two_cliques([](int a, int b) { return digits(a, ";", b) + ";0,5"; })).file, .5f);
  expect_two_cliques(
      hear("a;b;w\n" + two_cliques([](int a, int b) { return digits(a, ";", b) + ";0,5"; })).file, .5f);
  expect_two_cliques(
      hear(two_cliques([](int a, int b) { return "\"n" + digits(a, "\";\"n", b) + "\""; })).file);
  const Heard tabs = hear("a\tb\t1,500\nb\tc\t0.25\n");
  EXPECT_EQ(edges_of(tabs.file.graph), (EdgeMap{{{0, 1}, 1.5f}, {{1, 2}, .25f}}));
  expect_said(tabs.warnings, "the comma of '1,500' is taken for a decimal point");
  expect_error(ErrorCode::format, "a.csv:1: weight '1.234,5' is not a number",
               [] { hear("a;b;1.234,5\nb;c;1\n"); });
}

TEST(ReadTable, CommentsAmongTheEdgesAreCounted) {
  const Heard tags = hear("# tags\na b\nb #tag2\n#tag2 c\n#tag3 c\na c\n");
  EXPECT_EQ(tags.file.graph.edges(), 3);
  expect_said(tags.warnings, "a.csv:4: 2 lines in the middle of the data begin with #, % or //");
  const Heard numbers = hear("1 2\n% 3 4\n//5 6\n2 3\n");
  expect_said(numbers.warnings, "a.csv:2: 2 lines");
  const Heard remarks = hear("# a\n1 2\n# the second part\n2 3\n");
  EXPECT_EQ(remarks.warnings, "");
  expect_said(remarks.notes, "a.csv:3: 1 line in");
  EXPECT_EQ(hear("# a\n% b\n1 2\n").notes, "");
  expect_said(hear("#a,#b\n#b,c\nd,e\n").warnings, "a.csv:1: 2 lines before the data begin with");
  EXPECT_EQ(hear("# made by hand\nd,e\n#nodes\n").warnings.find("before"), std::string::npos);
  EXPECT_EQ(names_of(hear("\"#tag1\" \"#tag2\"\n\"#tag2\" c\n").file), (Ids{"#tag1", "#tag2", "c"}));
  expect_error(ErrorCode::format,
               "no edges; an edge is a line of two node ids and perhaps a weight; 2 lines begin",
               [] { hear("#tag1 #tag2\n#tag2 #tag3\n"); });
}

TEST(ReadTable, WeightsThatLookLikeTimesAreSaid) {
  int second = 0;
  const auto timed = [&](int a, int b) {
    return digits(a, " ", b) + " " + std::to_string(1082040961 + 977 * ++second);
  };
  const std::string text = two_cliques(timed);
  expect_said(hear(text).warnings, "look like times");
  const Heard without = hear(text, {.unweighted = true});
  expect_two_cliques(without.file);
  EXPECT_EQ(without.warnings, "");
  expect_two_cliques(hear(text, {.columns = "2,1"}).file);
  for (const char* times : {"0 1 2011\n1 2 1999\n", "0 1 1082040961123\n1 2 1290000000000\n",
                            "a b 20040415\nb c 20050101\n", "u,v,w\n1,2,1999\n2,3,2001\n"}) {
    EXPECT_NE(hear(times).warnings.find("look like times"), std::string::npos) << times;
  }
  expect_said(hear("from,to,date\n0,1,3\n1,2,4\n").warnings, "the column 'date'");
  std::string since_start = "0 1 0\n";
  for (int i = 1; i < 20; ++i) since_start += digits(i, " ", i + 1) + " " + std::to_string(i * i) + "\n";
  expect_said(hear(since_start).warnings, "look like times");
  for (const char* weights : {"0 1 3\n1 2 1\n", "0 1 2000\n1 2 2000\n", "0 1 0.5\n1 2 0.25\n"}) {
    EXPECT_EQ(hear(weights).warnings, "") << weights;
  }
}

// The error about weights that look like times says so, and no warning comes before it.
TEST(ReadTable, TimesThatContradictEachOtherAreToldOnce) {
  for (const auto& [text, doubt] :
       {std::pair("0 1 1082040961\n1 2 1082041940\n1 0 1082042500\n", "look like times"),
        std::pair("'a' 'b' 20040415\n'b' 'a' 20050101\n", "look like times"),
        std::pair("from,to,date\n0,1,3\n1,0,4\n", "the column 'date'")}) {
    SCOPED_TRACE(text);
    std::string said;
    Context context(1);
    context.on_log = [&](LogLevel level, std::string_view line) {
      // A warning about the header is another matter.
      if (level == LogLevel::warning && line.find("a header") == line.npos) said += std::string(line) + "\n";
    };
    try {
      parse_graph(text, "a.csv", {}, context);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      const std::string message = error.what();
      expect_said(message, "a.csv: not symmetric: ");
      expect_said(message, doubt);
      expect_said(message, "option unweighted leaves");
      EXPECT_EQ(message.find("symmetrize"), std::string::npos) << message;
    }
    EXPECT_EQ(said, "");
    parse_graph(text, "a.csv", {.symmetrize = true}, context);
    expect_said(said, doubt);
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  }
  expect_error(ErrorCode::format, "option symmetrize takes their mean", [] { hear("0 1 3\n1 0 2\n"); });
}

TEST(ReadTable, AFourthColumnIsLeftOutIfItLooksLikeTimesElseRefused) {
  const auto rated = [](int a, int b) {
    return digits(a, ",", b) + ",3," + std::to_string(1289241911 + a * b);
  };
  const std::string text = two_cliques(rated);
  const Heard heard = hear(text);
  expect_two_cliques(heard.file, 3);
  expect_said(heard.warnings, "the fourth column looks like times and is left out");
  expect_two_cliques(hear(text, {.unweighted = true}).file);
  expect_two_cliques(hear(text, {.columns = "1,2,3"}).file, 3);
  expect_two_cliques(hear("source,target,rating,time\n" + text, {.columns = "source,target,rating"}).file, 3);
  expect_two_cliques(hear("source,target,rating,time\n" + text, {.columns = "Target,Source"}).file);
  expect_error(ErrorCode::format, "4 columns: 'source', 'target', 'rating', 'time'; an edge has two",
               [&] { hear("source,target,rating,time\n" + text); });
  expect_error(ErrorCode::format,
               "weight '-6' is not allowed; weights are at least 0 and finite in float32; option "
               "unweighted",
               [] { hear("0,1,-6,1289241911\n0,2,9,1289241912\n"); });
  expect_error(ErrorCode::format, "option columns chooses them", [] { hear("1 2 3 4\n"); });
}

TEST(ReadTable, ColumnsAreCheckedAgainstTheFile) {
  const auto refused = [](const std::string& columns, const std::string& message) {
    expect_error(ErrorCode::invalid_argument, message, [&] { hear("a,b,c\n1,2,3\n", {.columns = columns}); });
  };
  refused("1", "columns: '1' must be source,target or");
  refused("1,2,3,1", "must be source,target or");
  refused("1,", "must be source,target or");
  refused("1,4", "columns: there is no column 4; the first line has 3");
  refused("0,1", "no column 0");
  refused("a,d", "columns: no column is named 'd'; the first line has 'a', 'b', 'c'");
  refused("a,b,a", "names a column twice");
  expect_error(ErrorCode::invalid_argument, "columns: a.mtx is not an edge list", [] {
    parse_graph("%%MatrixMarket matrix coordinate pattern symmetric\n2 2 1\n2 1\n", "a.mtx",
                {.columns = "1,2"}, Context(1));
  });
  expect_error(ErrorCode::format, "a.csv:3: 2 columns; every line needs 3 for the columns 1,3",
               [] { hear("1,2,3\n4,5,6\n7,8\n", {.columns = "1,3"}); });
}

TEST(ReadTable, ArcsAddUp) {
  const std::string text = "0 1\n1 0\n1 2\n1 2\n";
  const Heard arcs = hear(text, {.directed = true});
  EXPECT_EQ(edges_of(arcs.file.graph), (EdgeMap{{{0, 1}, 2}, {{1, 2}, 1}}));
  EXPECT_EQ(arcs.file.duplicates_merged, 1);
  EXPECT_EQ(edges_of(hear("0 1 4\n1 0 1\n1 2 2\n", {.directed = true}).file.graph),
            (EdgeMap{{{0, 1}, 5}, {{1, 2}, 2}}));
  const std::string matrix = "%%MatrixMarket matrix coordinate real general\n3 3 3\n1 2 4\n2 1 1\n2 3 2\n";
  EXPECT_EQ(edges_of(parse_graph(matrix, "a.mtx", {.directed = true}, Context(1)).graph),
            (EdgeMap{{{0, 1}, 5}, {{1, 2}, 2}}));
  const TemporaryDirectory directory;
  expect_error(ErrorCode::invalid_argument, "directed: ", [&] {
    read_graph(directory.file("a.txt", text), {.symmetrize = true, .directed = true});
  });
}

TEST(ReadTable, WithoutWeightsEntriesCountOnce) {
  EXPECT_EQ(edges_of(hear("0 1 4\n1 0 1\n1 2 2\n1 2 2\n2 3 x\n", {.unweighted = true}).file.graph),
            (EdgeMap{{{0, 1}, 1}, {{1, 2}, 1}, {{2, 3}, 1}}));
  const std::string matrix =
      "%%MatrixMarket matrix coordinate real general\n3 3 5\n1 2 4\n2 1 1\n2 3 2\n3 2 7\n1 3 0\n";
  EXPECT_EQ(edges_of(parse_graph(matrix, "a.mtx", {.unweighted = true}, Context(1)).graph),
            (EdgeMap{{{0, 1}, 1}, {{1, 2}, 1}}));
}

TEST(ReadTable, PointsAreNotEdges) {
  const RandomStream stream(3, "points");
  std::string two, three, five, header = "x,y\n", whole;
  for (int i = 0; i < 60; ++i) {
    const auto value = [&](int c) {
      return std::to_string(stream.uniform(5 * i + c) - .5 + (i < 30 ? 0 : 3));
    };
    two += value(0) + "," + value(1) + "\n";
    three += value(0) + " " + value(1) + " " + value(2) + "\n";
    five += value(0) + "\t" + value(1) + "\t" + value(2) + "\t" + value(3) + "\tsetosa\n";
    whole += std::to_string(stream.below(2000, 2 * i)) + "," + std::to_string(stream.below(2000, 2 * i + 1)) +
             "\n";
  }
  for (const std::string& text : {two, three, five, header + two, "1e-3;0,5\n1;2,25\n" + std::string()}) {
    expect_error(ErrorCode::format, "looks like points: ids are fractions", [&] { hear(text); });
  }
  EXPECT_EQ(hear(two, {.format = FileFormat::edge_list}).file.graph.edges(), 60) << "the format is given";
  EXPECT_EQ(hear("1.0 2.0\n2.0 3.0\n").file.graph.edges(), 2) << "whole numbers";
  expect_said(hear(whole).warnings, "different ids in 60 lines: if the lines are points");
  std::string path;
  for (int i = 0; i < 60; ++i) path += digits(i, " ", i + 1) + "\n";
  EXPECT_EQ(hear(path).warnings, "");
  expect_error(ErrorCode::format, "rows of points are clustered with --points",
               [] { hear("1 2 3 4 5\n4 5 6 7 8\n"); });
}

// One graph in many dialects: ids of blanks, commas, semicolons and quotes survive all of them.
TEST(ReadTable, DialectsOfOneGraphAgree) {
  const std::string marks = " ,;\"#%x";
  const RandomStream stream(11, "dialects");
  const std::int64_t nodes = 40, edges = 150;
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < nodes; ++i) {
    std::string name = "<";
    for (int c = 0; c < 4; ++c) name += marks[stream.below(marks.size(), 4 * i + c)];
    names.push_back(name + "> " + std::to_string(i));
  }
  std::string plain;
  std::vector<std::string> dialects(4);
  for (std::int64_t e = 0; e < edges; ++e) {
    const std::int64_t a = stream.below(nodes, 10000 + 2 * e), b = stream.below(nodes, 10001 + 2 * e);
    plain += std::to_string(a) + " " + std::to_string(b) + "\n";
    for (std::size_t d = 0; d < dialects.size(); ++d) {
      const auto quoted = [&](std::string name) {
        for (std::size_t at = 0; (at = name.find('"', at)) != name.npos; at += 2) name.insert(at, 1, '"');
        return "\"" + name + "\"";
      };
      dialects[d] += quoted(names[a]) + "\t;, "[d] + quoted(names[b]) + "\n";
    }
  }
  const GraphFile numbers = hear(plain).file;
  for (const std::string& text : dialects) {
    const GraphFile words = hear(text).file;
    ASSERT_EQ(words.graph.nodes(), numbers.graph.nodes());
    EdgeMap renamed;
    for (const auto& [ends, weight] : edges_of(numbers.graph)) {
      const auto node = [&](std::int64_t i) { return words.ids.find(names[std::stoi(numbers.ids.name(i))]); };
      renamed[std::minmax({node(ends.first), node(ends.second)})] = weight;
    }
    EXPECT_EQ(edges_of(words.graph), renamed);
  }
}

TEST(ReadTable, SelfLoopsKeepTheirWeights) {
  EXPECT_EQ(hear("0 0\n0 0\n0 1\n2 2\n").file.loop_weights, (std::vector<double>{1, 0, 1}));
  EXPECT_EQ(hear("0 0 2\n0 0 .5\n0 1 1\n").file.loop_weights, (std::vector<double>{2.5, 0}));
  EXPECT_EQ(hear("0 1\n").file.loop_weights, std::vector<double>{});
}

}  // namespace
}  // namespace parsimony::graph::read_table_test
