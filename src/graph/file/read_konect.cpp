// KONECT files [kunegis2013konect]: a comment '% bip|sym|asym <weights>', perhaps '% edges left right', then
// lines of two node numbers, perhaps a weight and a time.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "graph/file/formats.hpp"
#include "graph/file/number_edges.hpp"

namespace parsimony::graph {
namespace {

constexpr std::array<std::string_view, 10> kKonectWeights{
    "unweighted", "positive",      "posweighted", "signed",           "multisigned",
    "weighted",   "multiweighted", "dynamic",     "multiposweighted", "fixed"};

struct KonectHeader {
  std::string_view kind;     // bip, sym or asym; empty: the line is another comment
  std::string_view weights;  // one of kKonectWeights
};

KonectHeader konect_header(std::string_view bytes) {
  std::string_view line = bytes.substr(0, bytes.find_first_of("\r\n"));
  const auto word = [&] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const std::string_view found = line.substr(0, line.find_first_of(" \t"));
    line.remove_prefix(found.size());
    return found;
  };
  if (word() != "%") return {};
  const KonectHeader header{word(), word()};
  const bool known =
      (header.kind == "bip" || header.kind == "sym" || header.kind == "asym") &&
      std::find(kKonectWeights.begin(), kKonectWeights.end(), header.weights) != kKonectWeights.end() &&
      word().empty();
  return known ? header : KonectHeader{};
}

// A missing weight is 1.
IdEdges<std::int64_t> parse_konect_edges(const Text& text, bool weighted, const Context& context) {
  const auto pieces = static_cast<std::size_t>(piece_count(text.bytes));
  IdEdges<std::int64_t> out{std::vector<std::vector<std::int64_t>>(pieces), {}};
  if (weighted) out.weights.resize(pieces);
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  parse_lines(text, 0, context, [&](LineCursor& cursor, std::int64_t piece) {
    while (cursor.next_entry()) {
      for (const char* node : {"the first node", "the second node"}) {
        out.ids[piece].push_back(cursor.integer(node, 0, kMost));
        cursor.skip_blanks();
      }
      const char* third = cursor.at();
      if (weighted) {
        out.weights[piece].push_back(cursor.at_line_end() ? 1.0f : cursor.weight());
        cursor.skip_blanks();
      }
      if (cursor.count_fields() > (weighted ? 1 : 2)) {
        throw TextFault{third, "too many columns; an edge has two nodes and at most a weight and a time"};
      }
    }
  });
  return out;
}

}  // namespace

bool is_konect(std::string_view bytes) {
  return !konect_header(bytes).kind.empty();
}

GraphFile parse_konect(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                       const Context& context) {
  const Text text(budget.file, bytes);
  const KonectHeader header = konect_header(text.bytes);
  if (header.kind.empty()) {
    text.fail({text.bytes.data(),
               fmt::format("the first line of a KONECT file is '% bip|sym|asym <weights>', with weights {}",
                           fmt::join(kKonectWeights, ", "))});
  }
  const bool bipartite = header.kind == "bip" || options.bipartite;
  const bool weighted = header.weights != "unweighted" && header.weights != "fixed" && !options.unweighted;
  const EntryMeaning meaning = header.kind == "asym" ? EntryMeaning::edge_list : EntryMeaning::triangle;
  // Two ids, two nodes, a weight and its growth; the ids once more, parted by sides.
  budget.require(text.count_lines(context) * ((weighted ? 32 : 24) + (bipartite ? 16 : 0)));
  IdEdges<std::int64_t> edges = parse_konect_edges(text, weighted, context);
  if (std::all_of(edges.ids.begin(), edges.ids.end(), [](const auto& piece) { return piece.empty(); })) {
    throw Error(ErrorCode::format, fmt::format("{}: no edges", text.name));
  }
  std::string().swap(bytes);
  NumberedEdges numbered = number_edges(std::move(edges), bipartite, budget, context);
  return assemble_file(std::move(numbered.blocks), std::move(numbered.ids),
                       assembling(meaning, weighted, options), budget, context);
}

}  // namespace parsimony::graph
