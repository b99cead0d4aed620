// Matrix Market coordinate files [boisvert1997matrix].
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <numeric>

#include "graph/file/formats.hpp"

namespace parsimony::graph {
namespace {

struct MatrixMarketHeader {
  bool pattern = false;
  bool symmetric = false;
  std::int64_t nodes = 0;
  std::int64_t entries = 0;
  std::int64_t size_line = 0;  // where it starts
  std::int64_t body = 0;       // where the entries start
};

std::string lower_word(LineCursor& cursor) {
  std::string word(cursor.word());
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  cursor.skip_blanks();
  return word;
}

void parse_banner(LineCursor& cursor, MatrixMarketHeader& header) {
  if (!cursor.next_line() || lower_word(cursor) != "%%matrixmarket") {
    throw TextFault{cursor.line(),
                    "the first line must be '%%MatrixMarket matrix coordinate <field> <symmetry>'"};
  }
  const std::string object = lower_word(cursor), layout = lower_word(cursor), field = lower_word(cursor),
                    symmetry = lower_word(cursor);
  const auto require = [&](const std::string& word, std::initializer_list<std::string_view> allowed) {
    if (std::find(allowed.begin(), allowed.end(), word) != allowed.end()) return;
    throw TextFault{cursor.line(),
                    fmt::format("{} is not supported; a graph is a coordinate matrix, pattern, real or "
                                "integer, general or symmetric",
                                in_quotes(word)),
                    ErrorCode::unsupported};
  };
  require(object, {"matrix"});
  require(layout, {"coordinate"});
  require(field, {"pattern", "real", "integer", "double"});
  require(symmetry, {"general", "symmetric"});
  header.pattern = field == "pattern";
  header.symmetric = symmetry == "symmetric";
}

void expect_line_end(LineCursor& cursor) {
  cursor.skip_blanks();
  if (!cursor.at_line_end())
    throw TextFault{cursor.at(), fmt::format("{} is too much", in_quotes(cursor.word()))};
}

MatrixMarketHeader parse_matrix_market_header(const Text& text) {
  LineCursor cursor(text.bytes, 0, static_cast<std::int64_t>(text.bytes.size()));
  MatrixMarketHeader header;
  try {
    parse_banner(cursor, header);
    if (!cursor.next_entry()) throw TextFault{cursor.line(), "the line of sizes is missing"};
    header.size_line = cursor.line() - text.bytes.data();
    header.nodes = cursor.integer("the number of rows", 1, std::numeric_limits<std::int32_t>::max());
    cursor.skip_blanks();
    const auto columns = cursor.integer("the number of columns", 1, std::numeric_limits<std::int32_t>::max());
    cursor.skip_blanks();
    header.entries = cursor.integer("the number of entries", 0, std::numeric_limits<std::int64_t>::max());
    expect_line_end(cursor);
    if (columns != header.nodes) {
      throw TextFault{cursor.line(), fmt::format("{} rows and {} columns; the matrix of a graph is square",
                                                 header.nodes, columns)};
    }
    cursor.next_line();
    header.body = std::min<std::int64_t>(cursor.line() - text.bytes.data(), text.bytes.size());
  } catch (const TextFault& fault) {
    text.fail(fault);
  }
  return header;
}

}  // namespace

GraphFile parse_matrix_market(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                              const Context& context) {
  const Text text(budget.file, bytes);
  const MatrixMarketHeader header = parse_matrix_market_header(text);
  const auto fail_size = [&](std::string message) {
    text.fail({text.bytes.data() + header.size_line, std::move(message)});
  };
  // Rows without entries cost nothing in a file but 8 bytes each here; real graphs have fewer isolated nodes.
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (header.nodes > (std::int64_t{1} << 27) + 64 * size) {
    fail_size(fmt::format("{} nodes in a file of {} bytes", header.nodes, size));
  }
  budget.require(size + text.count_lines(context) * (header.pattern ? 8 : 12) + 8 * header.nodes);

  std::vector<EntryBlock> blocks(piece_count(text.bytes.substr(header.body)));
  parse_lines(text, header.body, context, [&](LineCursor& cursor, std::int64_t piece) {
    EntryBlock block;
    while (cursor.next_entry()) {
      const auto row = cursor.integer("row", 1, header.nodes);
      cursor.skip_blanks();
      const auto column = cursor.integer("column", 1, header.nodes);
      cursor.skip_blanks();
      block.nodes.push_back({static_cast<std::int32_t>(row - 1), static_cast<std::int32_t>(column - 1)});
      if (!header.pattern) {
        if (cursor.at_line_end()) throw TextFault{cursor.line(), "the value is missing"};
        block.weights.push_back(cursor.weight());
      }
      expect_line_end(cursor);
    }
    blocks[piece] = std::move(block);
  });
  const auto entries = std::accumulate(
      blocks.begin(), blocks.end(), std::int64_t{0},
      [](auto sum, const auto& block) { return sum + static_cast<std::int64_t>(block.nodes.size()); });
  if (entries != header.entries) {
    fail_size(fmt::format("{} entries stated, {} found; the file may be truncated", header.entries, entries));
  }
  std::string().swap(bytes);
  const AssembleOptions assembling{header.symmetric ? EntryMeaning::triangle : EntryMeaning::matrix,
                                   !header.pattern, options.symmetrize};
  return assemble_file(std::move(blocks), NodeIds::consecutive(header.nodes, 1), assembling, budget, 0,
                       context);
}

}  // namespace parsimony::graph
