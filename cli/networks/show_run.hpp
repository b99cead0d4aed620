// Texts that go into a network, and results that come out.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "parsimony/run/generate.hpp"
#include "parsimony/run/texts.hpp"

namespace parsimony::cli {

/// The lines of a file, without a last one that is empty.
std::vector<std::string> read_lines(const std::filesystem::path& path, const std::stop_token& stop);
/// Throws Error(format), naming file and line, for a line without a tab or with several.
std::vector<std::pair<std::string, std::string>> read_pairs(const std::filesystem::path& path,
                                                            const std::stop_token& stop);

std::string run_text(const run::TextRun& made, const std::vector<std::string>& texts);
nlohmann::ordered_json run_json(const run::TextRun& made, const std::vector<std::string>& texts);

std::string generated_text(const run::GeneratedText& made);
nlohmann::ordered_json generated_json(const run::GeneratedText& made);

}  // namespace parsimony::cli
