// SciPy's save_npz archives: csr, csc, coo, bsr and dia matrices.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "core/count_of.hpp"
#include "core/files/npz.hpp"
#include "graph/file/formats.hpp"

namespace parsimony::graph {
namespace {

constexpr std::int64_t kEntriesPerBlock = 1 << 16;
constexpr std::array<std::string_view, 5> kSparseFormats{"csr", "csc", "coo", "bsr", "dia"};

// Row and column of every stored value.
struct StoredPlaces {
  std::vector<std::int64_t> rows, columns;
};

struct SparseShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

SparseShape sparse_shape(NpzArchive& archive) {
  const std::vector<std::int64_t> shape = archive.integers("shape");
  if (shape.size() != 2) archive.fail("the matrix of a graph has two dimensions");
  for (const std::int64_t nodes : shape) {
    if (nodes < 1 || nodes > std::numeric_limits<std::int32_t>::max()) {
      archive.fail(fmt::format("{}; must be 1 to 2147483647", count_of(nodes, "node")));
    }
  }
  return {shape[0], shape[1]};
}

// The row of every entry, or of every block; for csc the column.
std::vector<std::int64_t> expand(const NpzArchive& archive, const std::vector<std::int64_t>& starts,
                                 std::int64_t rows, std::int64_t entries) {
  if (static_cast<std::int64_t>(starts.size()) != rows + 1 || starts.front() != 0 ||
      starts.back() != entries) {
    archive.fail(
        fmt::format("array 'indptr' must go from 0 to {} in {}", entries, count_of(rows + 1, "value")));
  }
  std::vector<std::int64_t> out(entries);
  for (std::int64_t row = 0; row < rows; ++row) {
    if (starts[row + 1] < starts[row] || starts[row + 1] > entries) {
      archive.fail(fmt::format("array 'indptr': item {} is {}, after {}; it must not fall and end at {}",
                               row + 1, starts[row + 1], starts[row], entries));
    }
    std::fill(out.begin() + starts[row], out.begin() + starts[row + 1], row);
  }
  return out;
}

// Each block is a dense matrix of rows × columns values, one after the other.
StoredPlaces places_in_blocks(NpzArchive& archive, const SparseShape& shape, const NpyArray& data) {
  if (data.shape.size() != 3 || data.shape[1] < 1 || data.shape[2] < 1 || shape.rows % data.shape[1] != 0 ||
      shape.columns % data.shape[2] != 0) {
    archive.fail(
        fmt::format("the blocks of a bsr matrix must tile its {} x {} values", shape.rows, shape.columns));
  }
  const std::int64_t height = data.shape[1], width = data.shape[2];
  const std::vector<std::int64_t> block_columns = archive.integers("indices");
  const auto blocks = static_cast<std::int64_t>(block_columns.size());
  if (blocks != data.shape[0])
    archive.fail(
        fmt::format("{} but {}", count_of(blocks, "index", "indices"), count_of(data.shape[0], "block")));
  const auto block_rows = expand(archive, archive.integers("indptr"), shape.rows / height, blocks);
  StoredPlaces out;
  archive.require(archive.held() + 16 * data.size());
  for (std::int64_t block = 0; block < blocks; ++block) {
    if (block_columns[block] < 0 || block_columns[block] >= shape.columns / width) {
      archive.fail(
          fmt::format("block {} is in column {} of {}", block, block_columns[block], shape.columns / width));
    }
  }
  const bool columns_first = data.fortran_order;
  for (std::int64_t at = 0; at < data.size(); ++at) {
    const std::int64_t block = columns_first ? at % blocks : at / (height * width);
    const std::int64_t row = (columns_first ? at / blocks : at / width) % height;
    const std::int64_t column = columns_first ? at / blocks / height : at % width;
    out.rows.push_back(block_rows[block] * height + row);
    out.columns.push_back(block_columns[block] * width + column);
  }
  return out;
}

// data[d][j] is in column j and on diagonal offsets[d], if its row exists; rows of other values are −1.
StoredPlaces places_on_diagonals(NpzArchive& archive, const SparseShape& shape, const NpyArray& data) {
  const std::vector<std::int64_t> offsets = archive.integers("offsets");
  if (data.shape.size() != 2 || data.shape[0] != std::ssize(offsets)) {
    archive.fail(fmt::format("the values of a dia matrix are one row for each of its {}",
                             count_of(offsets.size(), "offset")));
  }
  archive.require(archive.held() + 16 * data.size());
  StoredPlaces out;
  for (std::int64_t at = 0; at < data.size(); ++at) {
    const std::int64_t offset = offsets[data.fortran_order ? at % data.shape[0] : at / data.shape[1]];
    const std::int64_t column = data.fortran_order ? at / data.shape[0] : at % data.shape[1];
    const bool within = column < shape.columns && offset > column - shape.rows && offset <= column;
    out.rows.push_back(within ? column - offset : -1);
    out.columns.push_back(column);
  }
  return out;
}

StoredPlaces stored_places(NpzArchive& archive, const std::string& format, const SparseShape& shape,
                           const NpyArray& data) {
  if (format == "bsr") return places_in_blocks(archive, shape, data);
  if (format == "dia") return places_on_diagonals(archive, shape, data);
  StoredPlaces out;
  if (format == "coo") {
    out.columns = archive.integers("col");
    out.rows = archive.integers("row");
  } else {
    out.columns = archive.integers("indices");
    const auto entries = static_cast<std::int64_t>(out.columns.size());
    out.rows =
        expand(archive, archive.integers("indptr"), format == "csr" ? shape.rows : shape.columns, entries);
    if (format == "csc") out.rows.swap(out.columns);
  }
  if (data.shape.size() != 1 || data.size() != std::ssize(out.columns) ||
      out.rows.size() != out.columns.size()) {
    archive.fail(fmt::format("{} but {} and {}", count_of(out.columns.size(), "index", "indices"),
                             count_of(data.size(), "value"), count_of(out.rows.size(), "row")));
  }
  return out;
}

}  // namespace

GraphFile parse_npz(std::string bytes, const ReadOptions& options, const MemoryBudget& budget,
                    const Context& context) {
  const std::int64_t limit = archive_limit(bytes, context);
  NpzArchive archive(std::move(bytes), budget.file, limit, "is it a matrix by scipy.sparse.save_npz?",
                     context.stop);
  const std::string format = npy_text(archive.array("format"));
  if (std::find(kSparseFormats.begin(), kSparseFormats.end(), format) == kSparseFormats.end()) {
    archive.fail(
        fmt::format("sparse format {}; {} are supported", in_quotes(format), fmt::join(kSparseFormats, ", ")),
        ErrorCode::unsupported);
  }
  const SparseShape shape = sparse_shape(archive);
  const NpyArray data = archive.array("data");
  const StoredPlaces places = stored_places(archive, format, shape, data);
  const std::int64_t entries = data.size();
  const bool bipartite = options.bipartite || shape.rows != shape.columns;
  const std::int64_t nodes = shape.rows + (bipartite ? shape.columns : 0);
  if (nodes > std::min<std::int64_t>((std::int64_t{1} << 27) + 64 * entries,
                                     std::numeric_limits<std::int32_t>::max())) {
    archive.fail(fmt::format("{} but {}", count_of(nodes, "node"), count_of(entries, "entry", "entries")));
  }
  if (bipartite && !options.bipartite) note_bipartite_matrix(budget.file, shape.rows, shape.columns, context);
  const bool weighted = data.kind != 'b';
  // Blocks and diagonals are stored whole: their zeros are left out.
  const bool dense = format == "bsr" || format == "dia";
  // The values as float64, then the blocks.
  budget.require((weighted ? 8 : 1) * entries + (weighted ? 12 : 8) * entries);
  const std::vector<double> values = npy_items<double>(data);

  std::vector<EntryBlock> blocks((entries + kEntriesPerBlock - 1) / kEntriesPerBlock);
  context.for_blocks(entries, kEntriesPerBlock, [&](std::int64_t begin, std::int64_t end) {
    EntryBlock& block = blocks[begin / kEntriesPerBlock];
    for (std::int64_t e = begin; e < end; ++e) {
      const std::int64_t row = places.rows[e], column = places.columns[e];
      float weight = 1;
      if (dense && (row < 0 || values[e] == 0)) continue;
      if (row < 0 || row >= shape.rows || column < 0 || column >= shape.columns) {
        archive.fail(fmt::format("entry {} is at ({}, {}), outside of the {}", e, row, column,
                                 count_of(nodes, "node")));
      }
      if (weighted && !to_weight(values[e], weight)) {
        archive.fail(fmt::format("entry {} at ({}, {}) is {}; weights are at least 0 and finite in float32",
                                 e, row, column, values[e]));
      }
      if (!weighted && values[e] == 0) continue;
      block.nodes.push_back({static_cast<std::int32_t>(row),
                             static_cast<std::int32_t>(bipartite ? shape.rows + column : column)});
      if (weighted) block.weights.push_back(weight);
    }
  });
  return assemble_file(
      std::move(blocks), matrix_ids(shape.rows, shape.columns, bipartite, 0),
      assembling(bipartite ? EntryMeaning::triangle : EntryMeaning::matrix, weighted, options), budget,
      context);
}

}  // namespace parsimony::graph
