// Recognises the formats of files by their first bytes: those that are read, and those that are refused with
// a way to convert them. Implements format_of_content() and refuse_foreign_*() of graph/file/formats.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "graph/file/formats.hpp"

namespace parsimony::graph {
namespace {

constexpr std::size_t kMostLooked = 4096;

std::string lower_text(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string_view after_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return text;
}

// The text from its first line on that is neither empty nor a comment that starts with one of these signs.
std::string_view without_comments(std::string_view text, std::string_view signs) {
  text = after_blanks(text);
  while (!text.empty() && signs.find(text.front()) != signs.npos) {
    text.remove_prefix(std::min(text.find_first_of("\r\n"), text.size()));
    text = after_blanks(text);
  }
  return text;
}

struct ForeignBytes {
  std::size_t at;
  std::string_view magic;
  const char* message;
};

// {} is the name of the file.
constexpr std::array kForeignBytes{
    ForeignBytes{0, "\xff\xfe", "is UTF-16 text; convert it: iconv -f UTF-16 -t UTF-8 {} > utf8.txt"},
    ForeignBytes{0, "\xfe\xff", "is UTF-16 text; convert it: iconv -f UTF-16 -t UTF-8 {} > utf8.txt"},
    ForeignBytes{0, "PAR1",
                 "is a Parquet file, which is not read; pandas.read_parquet(…).to_csv(…, index=False) "
                 "writes CSV"},
    ForeignBytes{
        0, "\x89HDF\r\n\x1a\n",
        "is an HDF5 file (.h5, .h5ad, .mat), which is not read; in Python, "
        "scipy.sparse.save_npz('graph.npz', anndata.read_h5ad(…).obsp['connectivities']) writes the graph "
        "of an .h5ad"},
    ForeignBytes{0, "MATLAB 5.0 MAT-file",
                 "is a MATLAB file, which is not read; in Python, "
                 "scipy.sparse.save_npz('graph.npz', scipy.io.loadmat(…)['A']) writes its "
                 "matrix A"},
    ForeignBytes{0, "SQLite format 3",
                 "is an SQLite database, which is not read; export a table of edges as CSV"},
    ForeignBytes{0, "%PDF-", "is a PDF, not a graph"},
    ForeignBytes{0, "\x89PNG\r\n", "is a picture, not a graph"},
    ForeignBytes{0, "\xff\xd8\xff", "is a picture, not a graph"},
    ForeignBytes{257, "ustar", "is a tar archive; unpack it and name the file of the graph"},
    ForeignBytes{0, "ARROW1",
                 "is an Arrow file, which is not read; pandas.read_feather(…).to_csv(…, index=False) "
                 "writes CSV"},
    ForeignBytes{0, "RDX",
                 "is a file of R, which is not read; igraph::write_graph(g, 'g.graphml', 'graphml') in R "
                 "writes GraphML"},
    ForeignBytes{0, "\x80\x04\x95",
                 "is a pickle of Python, which is not read because reading it can run programs; "
                 "scipy.sparse.save_npz or networkx.write_graphml write graphs"},
    ForeignBytes{0, "\x80\x05\x95",
                 "is a pickle of Python, which is not read because reading it can run programs; "
                 "scipy.sparse.save_npz or networkx.write_graphml write graphs"},
    ForeignBytes{0, "\xd0\xcf\x11\xe0",
                 "is a file of Office, which is not read; save the table of edges as CSV"},
};

// Text of two bytes a character has a zero in every other one, and no zeros elsewhere.
bool is_wide_text(std::string_view bytes) {
  bytes = bytes.substr(0, 256);
  std::array<std::size_t, 2> zeros{};
  for (std::size_t at = 0; at < bytes.size(); ++at) zeros[at % 2] += bytes[at] == '\0';
  const std::size_t half = bytes.size() / 2;
  return half >= 4 && std::min(zeros[0], zeros[1]) == 0 && 10 * std::max(zeros[0], zeros[1]) >= 9 * half;
}

// DIMACS lines are a letter and numbers: 'p edge 5 4', 'e 1 2', 'a 1 2 7'. Without a line p, every line
// looked at must be of that kind.
bool is_dimacs(std::string_view text) {
  std::int64_t lines = 0;
  for (text = after_blanks(text); !text.empty() && lines < 50; text = after_blanks(text)) {
    const bool cut = text.find_first_of("\r\n") == text.npos;  // perhaps by the limit of what is looked at
    const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
    text.remove_prefix(line.size());
    if (line == "c" || line.substr(0, 2) == "c ") continue;
    for (const std::string_view problem :
         {"p sp ", "p edge ", "p edges ", "p col ", "p max ", "p tw ", "p cep "}) {
      if (line.substr(0, problem.size()) == problem) return true;
    }
    if (line.size() < 2 || (line[0] != 'e' && line[0] != 'a') || line[1] != ' ' ||
        line.find_first_not_of(" \t0123456789", 1) != line.npos || (cut && lines == 0)) {
      return false;
    }
    ++lines;
  }
  return lines > 0;
}

bool is_dot(std::string_view text) {
  const std::string low = lower_text(without_comments(text, "#/"));
  for (const std::string_view word : {"strict graph", "strict digraph", "graph", "digraph"}) {
    if (low.compare(0, word.size(), word) != 0) continue;
    const std::string_view rest = std::string_view(low).substr(word.size());
    const std::size_t brace = rest.find_first_of("{[\n");
    return brace != rest.npos &&
           (rest[brace] == '{' || after_blanks(rest.substr(brace)).substr(0, 1) == "{") &&
           (rest.front() == ' ' || rest.front() == '{' || rest.front() == '\n' || rest.front() == '\r');
  }
  return false;
}

// Keys and values before 'graph [', as in 'Creator "a program"', are allowed.
bool is_gml(std::string_view text) {
  const std::string low = lower_text(without_comments(text, "#"));
  for (std::size_t at = low.find("graph"); at != low.npos; at = low.find("graph", at + 1)) {
    const bool word = at == 0 || std::isspace(static_cast<unsigned char>(low[at - 1]));
    if (word && after_blanks(std::string_view(low).substr(at + 5)).substr(0, 1) == "[") {
      return std::isalpha(static_cast<unsigned char>(low[0]));
    }
  }
  return false;
}

bool is_pajek(std::string_view text) {
  const std::string low = lower_text(without_comments(text, "%").substr(0, 32));
  for (const std::string_view word : {"*vertices", "*network", "*arcs", "*edges", "*matrix"}) {
    if (low.compare(0, word.size(), word) == 0) return true;
  }
  return false;
}

bool begins(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

FileFormat format_of_content(std::string_view bytes) {
  const std::string_view text = Text("", bytes.substr(0, kMostLooked)).bytes;  // without byte order mark
  if (begins(text, "PK\3\4")) return FileFormat::npz;
  if (begins(text, "\x93NUMPY")) return FileFormat::affinity;
  if (begins(text, "%%MatrixMarket") || begins(text, "%MatrixMarket")) return FileFormat::matrix_market;
  if (is_konect(text)) return FileFormat::konect;
  if (begins(after_blanks(text), "<") && lower_text(text).find("<graphml") != std::string::npos) {
    return FileFormat::graphml;
  }
  if (is_pajek(text)) return FileFormat::pajek;
  if (is_gml(text)) return FileFormat::gml;
  return FileFormat::automatic;
}

void refuse_foreign_bytes(std::string_view bytes, const std::string& name) {
  const auto refuse_as = [&](const std::string& message) {
    throw Error(ErrorCode::unsupported, fmt::format("{}: {}", name, message));
  };
  for (const ForeignBytes& foreign : kForeignBytes) {
    if (begins(bytes.substr(std::min(foreign.at, bytes.size())), foreign.magic)) {
      refuse_as(fmt::format(fmt::runtime(foreign.message), name));
    }
  }
  if (is_wide_text(bytes)) {
    const bool big = bytes[0] == '\0';
    refuse_as(fmt::format("is UTF-16 text; convert it: iconv -f UTF-16{} -t UTF-8 {} > utf8.txt",
                          big ? "BE" : "LE", name));
  }
}

void refuse_foreign_text(std::string_view bytes, const std::string& name) {
  const std::string_view text = Text("", bytes.substr(0, kMostLooked)).bytes;
  const auto refuse_as = [&](const std::string& message) {
    throw Error(ErrorCode::unsupported, fmt::format("{}: {}", name, message));
  };
  const std::string_view start = after_blanks(text);
  if (begins(start, "<")) {
    const std::string low = lower_text(text);
    if (low.find("<gexf") != low.npos) {
      refuse_as(
          "is GEXF, which is not read; Gephi exports GraphML, and "
          "networkx.write_graphml(networkx.read_gexf(…), "
          "'g.graphml') writes it");
    }
    if (low.find("<html") != low.npos || low.find("<!doctype html") != low.npos) {
      refuse_as("is a page of HTML, not a graph; did the download fail?");
    }
    if (low.find("<?xml") != low.npos)
      refuse_as("is XML, but not GraphML, the one format of XML that is read");
  }
  if (begins(start, "{") || begins(start, "[{") || begins(start, "[[")) {
    refuse_as(
        "is JSON, which is not read; networkx.write_graphml(networkx.node_link_graph(json.load(…)), "
        "'g.graphml') writes GraphML");
  }
  if (is_dot(text)) {
    refuse_as(fmt::format("is DOT of Graphviz, which is not read; 'gv2gml {} > g.gml' writes GML", name));
  }
  if (is_dimacs(text)) {
    refuse_as(
        fmt::format("is a DIMACS file, which is not read; this writes its edges as an edge list: awk "
                    "'/^[ea] /{{print $2, $3, $4}}' {} > edges.txt",
                    name));
  }
  if (begins(start, "DGS0")) {
    refuse_as("is a stream of GraphStream (DGS), which is not read; FileSinkGML of GraphStream writes GML");
  }
  if (begins(start, ">>graph6<<") || begins(start, ">>sparse6<<")) {
    refuse_as(
        "is graph6 or sparse6, which is not read; networkx.write_edgelist(networkx.read_graph6(…), "
        "'edges.txt', "
        "data=False) writes an edge list");
  }
  if (begins(start, "LEDA.GRAPH")) {
    refuse_as(
        "is a LEDA graph, which is not read; networkx.write_graphml(networkx.read_leda(…), 'g.graphml') "
        "writes "
        "GraphML");
  }
  if (begins(start, "(tlp ")) refuse_as("is a file of Tulip, which is not read; Tulip exports GML");
}

}  // namespace parsimony::graph
