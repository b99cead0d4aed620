// Implements point_file.hpp: arrays of .npy and .npz, and the choice of the reader.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <utility>
#include <vector>

#include "core/count_of.hpp"
#include "core/files/npy_format.hpp"
#include "core/files/npz.hpp"
#include "graph/file/point_formats.hpp"
#include "graph/file/text.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony::graph {
namespace {

constexpr const char* kArrayHint = "is it an archive by numpy.savez?";

// float32 holds every value of these types.
bool fits_float32(const NpyArray& array) {
  return array.kind == 'b' || (array.kind == 'f' ? array.width <= 4 : array.width <= 2);
}

PointArray points_of(const NpyArray& array) {
  if (fits_float32(array)) return npy_matrix<float>(array);
  return npy_matrix<double>(array);
}

// An array may be another thing than points, and nothing in the file says so.
void note_other_meaning(const NpyArray& array, const PointArray& points, const std::string& name,
                        const Context& context) {
  if (array.shape.size() != 2 || array.shape[0] < 3) return;
  const auto symmetric = [](const auto& matrix) {
    for (std::int64_t i = 0; i < matrix.rows(); ++i) {
      for (std::int64_t j = 0; j < i; ++j) {
        if (matrix(i, j) != matrix(j, i)) return false;
      }
    }
    return true;
  };
  if (array.shape[0] == array.shape[1] && std::visit(symmetric, points)) {
    context.log(
        LogLevel::warning,
        fmt::format(
            "{}: a symmetric matrix of {} is taken for points; --affinity takes it for similarities of nodes",
            name, count_of(array.shape[0], "row")));
  } else if (array.shape[1] == 2 && (array.kind == 'i' || array.kind == 'u')) {
    context.log(LogLevel::warning,
                fmt::format("{}: {} of whole numbers {} taken for points; if they are edges, "
                            "numpy.savetxt('edges.txt', …, fmt='%d') writes them as a graph",
                            name, count_of(array.shape[0], "pair"), noun_of(array.shape[0], "is", "are")));
  }
}

struct Listed {
  std::string name;
  std::size_t dimensions = 0;
  bool numbers = false;
  std::string text;  // for messages: 'name' (120 × 2)
};

// The arrays of an archive, of which none stays unpacked.
std::vector<Listed> list_arrays(NpzArchive& archive) {
  std::vector<Listed> out;
  for (const std::string& name : archive.names()) {
    Listed listed{.name = name, .text = fmt::format("'{}'", name)};
    try {
      const NpyArray array = archive.array(name);
      listed.dimensions = array.shape.size();
      listed.numbers = array.kind != 'S' && array.kind != 'U';
      listed.text += fmt::format(" ({})", fmt::join(array.shape, " × "));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported) throw;
      listed.text += " (of no numeric type)";
    }
    archive.release(name);
    out.push_back(std::move(listed));
  }
  return out;
}

std::string text_of(const std::vector<Listed>& arrays) {
  std::vector<std::string> texts;
  texts.reserve(arrays.size());
  for (const Listed& listed : arrays) texts.push_back(listed.text);
  return texts.empty() ? "no arrays" : fmt::format("{}", fmt::join(texts, ", "));
}

// The array that a .npz names as points, or the only one that may be meant.
std::string choose_array(NpzArchive& archive, const std::string& wanted, const Context& context) {
  const std::vector<Listed> arrays = list_arrays(archive);
  const auto named = [&](std::string_view name) {
    return std::any_of(arrays.begin(), arrays.end(),
                       [&](const Listed& listed) { return listed.name == name; });
  };
  if (!wanted.empty()) {
    if (!named(wanted)) archive.fail(fmt::format("no array '{}'; there are {}", wanted, text_of(arrays)));
    return wanted;
  }
  if (named("format") && named("shape")) {
    archive.fail("a sparse matrix by scipy.sparse.save_npz, which is a graph; points are a dense array");
  }
  std::vector<std::string> candidates;
  for (const std::size_t dimensions : {2, 1}) {
    for (const Listed& listed : arrays) {
      if (listed.numbers && listed.dimensions == dimensions) candidates.push_back(listed.name);
    }
    if (!candidates.empty()) break;
  }
  if (candidates.size() != 1) {
    archive.fail(fmt::format("{} arrays may be the points; name one by option array: there are {}",
                             candidates.empty() ? "no" : "several", text_of(arrays)));
  }
  if (arrays.size() > 1) {
    context.log(LogLevel::info,
                fmt::format("the points are the array '{}', of {}", candidates.front(), text_of(arrays)));
  }
  return candidates.front();
}

}  // namespace

PointArray parse_points(std::string bytes, const std::string& name, const PointReadOptions& options,
                        const Context& context) {
  const MemoryBudget budget{name, context};
  if (bytes.substr(0, 4) == "PK\3\4") {
    const std::int64_t limit = archive_limit(bytes, context);
    NpzArchive archive(std::move(bytes), name, limit, kArrayHint, context.stop);
    const NpyArray array = archive.array(choose_array(archive, options.array, context));
    budget.require((fits_float32(array) ? 4 : 8) * array.size());
    return points_of(array);
  }
  if (!options.array.empty()) {
    refuse(fmt::format("array: {} has no arrays to choose from; a .npz archive has", name));
  }
  if (bytes.substr(0, 6) == "\x93NUMPY") {
    const NpyArray array = parse_npy(bytes, name);
    budget.require((fits_float32(array) ? 4 : 8) * array.size());
    PointArray points = points_of(array);
    note_other_meaning(array, points, name, context);
    return points;
  }
  end_lines_with_newlines(bytes);
  return parse_point_text(bytes, budget, context);
}

PointArray read_point_array(const std::filesystem::path& path, const PointReadOptions& options,
                            const Context& context) {
  validate_fields(options);
  return parse_points(read_file(path, context.memory_left(), context.stop), path.string(), options, context);
}

Points read_points(const std::filesystem::path& path, Metric metric, const PointReadOptions& options,
                   const Context& context) {
  PointArray array = read_point_array(path, options, context);
  if (auto* singles = std::get_if<Matrix<float>>(&array)) return {std::move(*singles), {}};
  return float32_points(std::get<Matrix<double>>(array), metric, context);
}

bool names_points(const std::filesystem::path& path, bool or_dense) {
  std::filesystem::path name = path;
  if (name.extension() == ".gz" || name.extension() == ".zst") name = name.stem();
  return name.extension() == ".npy" || (or_dense && name.extension() == ".npz" && holds_dense_arrays(path));
}

bool holds_dense_arrays(const std::filesystem::path& path) {
  // The directory stands at the end of an archive, with the names as they are.
  constexpr std::streamoff kTail = 1 << 16;
  constexpr std::size_t kRecord = 46;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file.tellg();
  if (size <= 0) return false;
  std::string tail(static_cast<std::size_t>(std::min(size, kTail)), '\0');
  file.seekg(size - static_cast<std::streamoff>(tail.size()));
  if (!file.read(tail.data(), static_cast<std::streamsize>(tail.size()))) return false;
  bool arrays = false;
  for (std::size_t at = 0; (at = tail.find("PK\1\2", at)) != tail.npos; ++at) {
    if (at + kRecord > tail.size()) break;
    const auto byte = [&](std::size_t offset) { return static_cast<unsigned char>(tail[at + offset]); };
    const std::string_view name = std::string_view(tail).substr(at + kRecord, byte(28) + 256u * byte(29));
    if (name == "format.npy") return false;
    arrays = arrays || name.ends_with(".npy");
  }
  return arrays;
}

}  // namespace parsimony::graph
