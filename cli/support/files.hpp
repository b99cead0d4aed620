// Paths on the command line: refused before the long part, not after it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "parsimony/core/options.hpp"
#include "parsimony/graph/file.hpp"

namespace parsimony::cli {

/// Adds --format and --symmetrize.
void add_read_flags(CLI::App& app, graph::ReadOptions& options);

/// The path to read for what was written on the command line: "-" is the standard input.
std::filesystem::path input_path(const std::string& text);

/// Reads the graph of that name, and notes what of the file is not in it.
graph::GraphFile read_graph(const std::string& text, const graph::ReadOptions& options,
                            const Context& context);

/// Throws Error(io) unless the file is there and readable.
void check_readable(const std::filesystem::path& path);

/// Throws Error(io) unless the file can be written or created, Error(invalid_argument) when the path is a
/// directory, "-", or one of the other files of the command.
void check_writable(std::string_view flag, const std::filesystem::path& path,
                    std::initializer_list<std::filesystem::path> others = {});

/// Writes to stdout, and throws Error(io) when it does not take it (a full disk).
void print(std::string_view text);

}  // namespace parsimony::cli
