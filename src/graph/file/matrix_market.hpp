// The parts of the reader of Matrix Market files that a reader of a part of the file needs too.
#pragma once

#include <cstdint>
#include <string>

#include "graph/assemble.hpp"
#include "graph/file/text.hpp"

namespace parsimony::graph {

struct MatrixMarketHeader {
  bool pattern = false;
  bool symmetric = false;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t entries = 0;
  std::int64_t size_line = 0;  // where it starts
  std::int64_t body = 0;       // where the entries start
};

/// Reads the banner, the comments and the line of sizes. Throws Error.
MatrixMarketHeader parse_matrix_market_header(const Text& text);

/// Numbers of Fortran, as 1.0D+00, become 1.0E+00 in place.
void replace_fortran_exponents(std::string& bytes, std::int64_t from);

/// The entries of the lines of a cursor; columns are numbered from first_column. Throws TextFault.
EntryBlock parse_matrix_entries(LineCursor& cursor, const MatrixMarketHeader& header,
                                std::int64_t first_column);

}  // namespace parsimony::graph
