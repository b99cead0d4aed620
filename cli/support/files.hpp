// Paths on the command line. Bad paths are refused before a long computation, not after it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/graph/file.hpp"

namespace parsimony::cli {

/// Adds the flags of the reader of graphs. Returns their names.
std::vector<std::string> add_read_flags(CLI::App& app, graph::ReadOptions& options);

/// The path for an argument of the command line: "-" stands for the standard input.
std::filesystem::path input_path(const std::string& text);

inline const std::filesystem::path kStandardOutput = "/dev/stdout";

/// The path for an output of graphs or labels: "-" stands for the standard output.
std::filesystem::path output_path(const std::string& text);

/// Reads the graph of that name and notes how many self loops, zeros and repeated edges were removed.
graph::GraphFile read_graph(const std::string& text, const graph::ReadOptions& options,
                            const Context& context);

/// Throws Error(io) unless the file exists and is readable.
void check_readable(const std::filesystem::path& path);

/// Throws the errors of check_output_path(), which name the flag then, and Error(invalid_argument) if the
/// path is a directory, "-", or one of the other files of the command.
void check_writable(std::string_view flag, const std::filesystem::path& path,
                    const std::vector<std::filesystem::path>& others = {});

/// output_path(), checked as above; the standard output cannot have the report (--json) too.
std::filesystem::path checked_output(std::string_view flag, const std::string& text, bool json,
                                     const std::vector<std::filesystem::path>& others = {});

/// Writes to stdout, escaped but for ends of lines and tabs; throws Error(io) if that fails, as on a full
/// disk. A verb that also writes files prints before it lets them appear (OutputSet::commit).
void print(std::string_view text);

}  // namespace parsimony::cli
