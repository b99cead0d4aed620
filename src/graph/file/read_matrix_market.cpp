// Matrix Market coordinate files [boisvert1997matrix].
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <numeric>

#include "core/count_of.hpp"
#include "graph/file/formats.hpp"
#include "graph/file/matrix_market.hpp"

namespace parsimony::graph {
namespace {

std::string lower_word(LineCursor& cursor) {
  std::string word(cursor.word());
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  cursor.skip_blanks();
  return word;
}

void parse_banner(LineCursor& cursor, MatrixMarketHeader& header) {
  // Files of the Network Repository have one percent sign.
  const std::string first = cursor.next_line() ? lower_word(cursor) : "";
  if (first != "%%matrixmarket" && first != "%matrixmarket") {
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

void skip_to_next(LineCursor& cursor) {
  cursor.skip_blanks();
  if (cursor.starts_with(",")) throw TextFault{cursor.at(), "a comma; blanks part the numbers of a matrix"};
}

void expect_line_end(LineCursor& cursor) {
  skip_to_next(cursor);
  if (!cursor.at_line_end())
    throw TextFault{cursor.at(), fmt::format("{} is too much", in_quotes(cursor.word()))};
}

// Moves to the three sizes: those of the first line that is not a comment, or, in edge lists of the Network
// Repository, those of the comment above a first line of two numbers.
void find_sizes(LineCursor& cursor, std::string_view text) {
  if (!cursor.next_entry()) throw TextFault{cursor.line(), "the line of sizes is missing"};
  LineCursor fields = cursor;
  if (fields.count_fields() != 2) return;
  const std::string_view above = text.substr(0, cursor.line() - text.data() - 1);
  const std::string_view from_comment = text.substr(above.rfind('\n') + 1);
  if (from_comment.front() != '%') return;
  LineCursor sizes(from_comment.substr(1), 0, static_cast<std::int64_t>(from_comment.size()) - 1);
  sizes.next_line();
  sizes.skip_blanks();
  fields = sizes;
  if (fields.count_fields() == 3) cursor = sizes;
}

}  // namespace

MatrixMarketHeader parse_matrix_market_header(const Text& text) {
  LineCursor cursor(text.bytes, 0, static_cast<std::int64_t>(text.bytes.size()));
  MatrixMarketHeader header;
  try {
    parse_banner(cursor, header);
    find_sizes(cursor, text.bytes);
    header.size_line = cursor.line() - text.bytes.data();
    header.rows = cursor.integer("the number of rows", 1, std::numeric_limits<std::int32_t>::max());
    skip_to_next(cursor);
    header.columns = cursor.integer("the number of columns", 1, std::numeric_limits<std::int32_t>::max());
    skip_to_next(cursor);
    header.entries = cursor.integer("the number of entries", 0, std::numeric_limits<std::int64_t>::max());
    expect_line_end(cursor);
    if (header.symmetric && header.columns != header.rows) {
      throw TextFault{cursor.line(),
                      fmt::format("{} and {}; a symmetric matrix has as many of both",
                                  count_of(header.rows, "row"), count_of(header.columns, "column"))};
    }
    cursor.next_line();
    header.body = std::min<std::int64_t>(cursor.line() - text.bytes.data(), text.bytes.size());
  } catch (const TextFault& fault) {
    text.fail(fault);
  }
  return header;
}

// Numbers of Fortran, as 1.0D+00, become 1.0E+00 in place.
void replace_fortran_exponents(std::string& bytes, std::int64_t from) {
  const auto digit = [&](std::size_t at) {
    return at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '9';
  };
  for (std::size_t at = bytes.find_first_of("Dd", from); at != bytes.npos;
       at = bytes.find_first_of("Dd", at + 1)) {
    const bool after_number = digit(at - 1) || bytes[at - 1] == '.';
    const bool signed_exponent = at + 1 < bytes.size() && (bytes[at + 1] == '+' || bytes[at + 1] == '-');
    if (after_number && digit(at + 1 + signed_exponent)) bytes[at] = 'E';
  }
}

EntryBlock parse_matrix_entries(LineCursor& cursor, const MatrixMarketHeader& header,
                                std::int64_t first_column) {
  EntryBlock block;
  while (cursor.next_entry()) {
    const auto row = cursor.integer("row", 1, header.rows);
    skip_to_next(cursor);
    const auto column = first_column + cursor.integer("column", 1, header.columns);
    skip_to_next(cursor);
    block.nodes.push_back({static_cast<std::int32_t>(row - 1), static_cast<std::int32_t>(column - 1)});
    if (!header.pattern) {
      if (cursor.at_line_end()) throw TextFault{cursor.line(), "the value is missing"};
      block.weights.push_back(cursor.weight());
    }
    expect_line_end(cursor);
  }
  return block;
}

GraphFile parse_matrix_market(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                              const Context& context) {
  const Text text(budget.file, bytes);
  const MatrixMarketHeader header = parse_matrix_market_header(text);
  const auto fail_size = [&](std::string message) {
    text.fail({text.bytes.data() + header.size_line, std::move(message)});
  };
  if (options.bipartite && header.symmetric) {
    text.fail({text.bytes.data(),
               "the rows and columns of a symmetric matrix are the same nodes, not the two sets "
               "of a bipartite graph"});
  }
  const bool bipartite = options.bipartite || header.rows != header.columns;
  const std::int64_t nodes = header.rows + (bipartite ? header.columns : 0);
  // Rows without entries cost nothing in a file but 8 bytes each here; real graphs have fewer isolated nodes.
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (nodes >
      std::min<std::int64_t>((std::int64_t{1} << 27) + 64 * size, std::numeric_limits<std::int32_t>::max())) {
    fail_size(fmt::format("{} in a file of {}", count_of(nodes, "node"), count_of(size, "byte")));
  }
  budget.require(text.count_lines(context) * (header.pattern ? 8 : 12) + 8 * nodes);
  if (bipartite && !options.bipartite)
    note_bipartite_matrix(budget.file, header.rows, header.columns, context);

  if (!header.pattern) replace_fortran_exponents(bytes, text.bytes.data() - bytes.data() + header.body);
  std::vector<EntryBlock> blocks(piece_count(text.bytes.substr(header.body)));
  parse_lines(text, header.body, context, [&](LineCursor& cursor, std::int64_t piece) {
    blocks[piece] = parse_matrix_entries(cursor, header, bipartite ? header.rows : 0);
  });
  const auto entries = std::accumulate(
      blocks.begin(), blocks.end(), std::int64_t{0},
      [](auto sum, const auto& block) { return sum + static_cast<std::int64_t>(block.nodes.size()); });
  if (entries != header.entries) {
    fail_size(fmt::format("{} stated, {} found; the file may be truncated",
                          count_of(header.entries, "entry", "entries"), entries));
  }
  std::string().swap(bytes);
  const bool once = header.symmetric || bipartite;
  return assemble_file(
      std::move(blocks), matrix_ids(header.rows, header.columns, bipartite, 1),
      assembling(once ? EntryMeaning::triangle : EntryMeaning::matrix, !header.pattern, options), budget,
      context);
}

}  // namespace parsimony::graph
