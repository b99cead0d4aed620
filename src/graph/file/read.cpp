// Implements read_graph() of parsimony/graph/file.hpp, and format_of(), assemble_file() and parse_graph().
#include <fmt/format.h>

#include <new>
#include <stdexcept>

#include "core/files/compression.hpp"
#include "graph/file/formats.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/graph/file.hpp"

namespace parsimony::graph {

FileFormat format_of(const std::filesystem::path& path) {
  const auto name = compression_of_ending(path) == Compression::none ? path : path.stem();
  if (name.extension() == ".mtx") return FileFormat::matrix_market;
  if (name.extension() == ".graph" || name.extension() == ".metis") return FileFormat::metis;
  if (name.extension() == ".npz") return FileFormat::npz;
  return FileFormat::edge_list;
}

namespace {

// The first bytes tell the format if the name does not, as for a pipe.
FileFormat format_of(const std::filesystem::path& path, std::string_view bytes) {
  const FileFormat by_name = graph::format_of(path);
  if (by_name != FileFormat::edge_list) return by_name;
  constexpr std::string_view kBanner = "%%MatrixMarket";
  if (bytes.substr(0, kBanner.size()) == kBanner) return FileFormat::matrix_market;
  return bytes.substr(0, 4) == "PK\3\4" ? FileFormat::npz : FileFormat::edge_list;
}

}  // namespace

GraphFile assemble_file(std::vector<EntryBlock>&& blocks, NodeIds ids, const AssembleOptions& options,
                        const MemoryBudget& budget, std::int64_t held, const Context& context) {
  Assembled assembled = assemble(std::move(blocks), ids, options, budget, held, context);
  return {.graph = std::move(assembled.graph),
          .ids = std::move(ids),
          .self_loops_dropped = assembled.self_loops_dropped,
          .duplicates_merged = assembled.duplicates_merged,
          .zeros_dropped = assembled.zeros_dropped};
}

GraphFile parse_graph(std::string bytes, const std::string& name, const ReadOptions& options,
                      const Context& context) {
  const MemoryBudget budget{name, options.max_memory};
  switch (options.format == FileFormat::automatic ? format_of(name, bytes) : options.format) {
    case FileFormat::matrix_market:
      return parse_matrix_market(std::move(bytes), options, budget, context);
    case FileFormat::metis:
      return parse_metis(bytes, options, budget, context);
    case FileFormat::npz:
      return parse_npz(std::move(bytes), options, budget, context);
    default:
      return parse_edge_list(std::move(bytes), options, budget, context);
  }
}

GraphFile read_graph(const std::filesystem::path& path, const ReadOptions& options, const Context& context) {
  validate_fields(options);
  try {
    return parse_graph(read_file(path, options.max_memory, context.stop), path.string(), options, context);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::memory_limit,
                fmt::format("{}: reading it needs more memory than there is", path.string()));
  } catch (const std::length_error&) {
    throw Error(ErrorCode::memory_limit,
                fmt::format("{}: reading it needs more memory than there is", path.string()));
  }
}

}  // namespace parsimony::graph
