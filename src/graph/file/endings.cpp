#include "graph/file/endings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "core/files/compression.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::graph {
namespace {

struct GraphEnding {
  std::string_view ending;
  FileFormat format;
  bool written = true;
};

constexpr std::array kGraphEndings{
    GraphEnding{".txt", FileFormat::edge_list},     GraphEnding{".tsv", FileFormat::edge_list},
    GraphEnding{".edges", FileFormat::edge_list},   GraphEnding{".csv", FileFormat::csv},
    GraphEnding{".mtx", FileFormat::matrix_market}, GraphEnding{".graph", FileFormat::metis},
    GraphEnding{".metis", FileFormat::metis},       GraphEnding{".npz", FileFormat::npz},
    GraphEnding{".graphml", FileFormat::graphml},   GraphEnding{".gml", FileFormat::gml},
    GraphEnding{".net", FileFormat::pajek},         GraphEnding{".npy", FileFormat::affinity, false}};

struct LabelEnding {
  std::string_view ending;
  LabelFormat format;
};
constexpr std::array kLabelEndings{
    LabelEnding{".txt", LabelFormat::tsv}, LabelEnding{".tsv", LabelFormat::tsv},
    LabelEnding{".csv", LabelFormat::csv}, LabelEnding{".npy", LabelFormat::npy}};

template <class Endings>
[[noreturn]] void refuse_ending(const std::filesystem::path& path, std::string_view what,
                                const Endings& endings) {
  std::string known;
  for (const auto& row : endings) {
    if constexpr (requires { row.written; }) {
      if (!row.written) continue;
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", row.ending);
  }
  refuse(fmt::format(
      "{}: no format of {} is known by the ending {}; known are {}, each also before .gz or .zst; "
      "option output_format names the format of any other name",
      path.string(), what, plain_ending(path), known));
}

}  // namespace

std::string plain_ending(const std::filesystem::path& path) {
  const auto plain = compression_of_ending(path) == Compression::none ? path : path.stem();
  std::string ending = plain.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return ending;
}

FileFormat format_of_ending(const std::filesystem::path& path) {
  const std::string ending = plain_ending(path);
  const auto* found = std::find_if(kGraphEndings.begin(), kGraphEndings.end(),
                                   [&](const GraphEnding& row) { return row.ending == ending; });
  if (found == kGraphEndings.end() || found->format == FileFormat::csv) return FileFormat::edge_list;
  return found->format;
}

FileFormat written_format(const std::filesystem::path& path, const WriteOptions& options) {
  if (options.output_format != FileFormat::automatic) return options.output_format;
  const std::string ending = plain_ending(path);
  if (ending.empty()) return FileFormat::edge_list;
  const auto* found = std::find_if(kGraphEndings.begin(), kGraphEndings.end(), [&](const GraphEnding& row) {
    return row.ending == ending && row.written;
  });
  if (found == kGraphEndings.end()) refuse_ending(path, "a graph", kGraphEndings);
  return found->format;
}

LabelFormat written_format(const std::filesystem::path& path, LabelFormat format) {
  if (format != LabelFormat::automatic) return format;
  const std::string ending = plain_ending(path);
  if (ending.empty()) return LabelFormat::tsv;
  const auto* found = std::find_if(kLabelEndings.begin(), kLabelEndings.end(),
                                   [&](const LabelEnding& row) { return row.ending == ending; });
  if (found == kLabelEndings.end()) refuse_ending(path, "labels", kLabelEndings);
  return found->format;
}

}  // namespace parsimony::graph
