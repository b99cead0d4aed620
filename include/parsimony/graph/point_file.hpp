// Files of points: .npy, .npz, and text such as CSV; plain, gzip or zstd.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/graph/points.hpp"

namespace parsimony::graph {

struct PointReadOptions {
  std::string array;  ///< name of the array in a .npz; empty: its only two-dimensional one
};

template <OptionsOf<PointReadOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"array", "name of the array in a .npz; default: its only two-dimensional one"}, options.array);
}

/// n × d points: float32 if it holds every value of the file's type, else float64.
using PointArray = std::variant<Matrix<float>, Matrix<double>>;

/// Reads points, one a row. The first bytes tell .npy, .npz and text apart. In text, a line holds the numbers
/// of a point. Tabs, semicolons or commas separate them, the first of these that nine lines of ten have; else
/// blanks. Quotes are those of RFC 4180; a comma that does not separate is a decimal sign; lines that begin
/// with #, % or // are comments. A first line of names is skipped, with a message. A column without a name
/// before named ones is the index that pandas writes: it is left out, with a warning. docs/points.md has the
/// details.
///
/// Throws io, format (with the line or the array), unsupported and memory_limit. O(file) time.
PointArray read_point_array(const std::filesystem::path& path, const PointReadOptions& options = {},
                            const Context& context = Context{});

/// read_point_array(), and float32_points() of float64.
Points read_points(const std::filesystem::path& path, Metric metric = Metric::euclidean,
                   const PointReadOptions& options = {}, const Context& context = Context{});

/// Whether a file is one of points by its name: .npy, plain or compressed, and with or_dense a .npz archive
/// that holds_dense_arrays().
bool names_points(const std::filesystem::path& path, bool or_dense);

/// Whether a file is a .npz archive without a sparse matrix of SciPy, by the names of its arrays.
bool holds_dense_arrays(const std::filesystem::path& path);

}  // namespace parsimony::graph
