// The formats that names of files stand for.
#pragma once

#include <filesystem>

#include "parsimony/graph/file.hpp"
#include "parsimony/graph/labels.hpp"

namespace parsimony::graph {

/// The ending of a name before .gz or .zst; "" if there is none.
std::string plain_ending(const std::filesystem::path& path);

/// The format to read by the ending of a name, before .gz or .zst; edge_list for an unknown ending.
FileFormat format_of_ending(const std::filesystem::path& path);

/// The format to write: that of the options, else that of the ending; a name without any ending, such as
/// /dev/stdout, is an edge list. Throws Error(invalid_argument) with the endings known for any other.
FileFormat written_format(const std::filesystem::path& path, const WriteOptions& options);

/// The same for labels; tsv without any ending.
LabelFormat written_format(const std::filesystem::path& path, LabelFormat format);

}  // namespace parsimony::graph
