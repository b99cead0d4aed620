// --report: a page of HTML about the run.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/core/report_page.hpp"
#include "support/terminal.hpp"

namespace parsimony::cli {

/// --report.
void add_page_flag(CLI::App& app, std::string& path);

/// Throws Error, naming the flag, for a page that cannot be written or is another file of the run. Nothing is
/// checked if the path is empty.
void check_page(const std::string& path, const std::vector<std::filesystem::path>& others);

/// Writes the page, which appears with the other files of the set. Nothing is written if the path is empty.
void write_page(const std::string& path, std::string_view json, std::vector<ReportPicture> pictures,
                const Terminal& terminal, const Context& context, OutputSet& outputs);

}  // namespace parsimony::cli
