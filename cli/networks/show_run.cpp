#include "networks/show_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "core/report_json.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/lines.hpp"

namespace parsimony::cli {
namespace {

std::string in_megabytes(std::int64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

}  // namespace

std::vector<std::string> read_lines(const std::filesystem::path& path, const std::stop_token& stop) {
  std::vector<std::string> lines = lines_of(read_file(path, 0, stop));
  if (lines.empty())
    throw Error(ErrorCode::format, path.string() + ": is empty; must have a text on each line");
  return lines;
}

std::vector<std::pair<std::string, std::string>> read_pairs(const std::filesystem::path& path,
                                                            const std::stop_token& stop) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& line : read_lines(path, stop)) {
    const std::size_t tab = line.find('\t');
    if (tab == line.npos || line.find('\t', tab + 1) != line.npos) {
      throw Error(ErrorCode::format, fmt::format("{}: line {}: must be two texts divided by one tab",
                                                 path.string(), pairs.size() + 1));
    }
    pairs.emplace_back(line.substr(0, tab), line.substr(tab + 1));
  }
  return pairs;
}

std::string run_text(const run::TextRun& made, const std::vector<std::string>& texts) {
  const Report& report = made.report;
  std::string out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    if (made.probabilities.rows() > 0) {
      const std::span<const float> row_values = made.probabilities.row(row);
      const auto best = std::max_element(row_values.begin(), row_values.end());
      out += fmt::format("{}\t{:.4f}\t{}\n", made.labels[best - row_values.begin()], *best, texts[i]);
    } else {
      out += fmt::format("{:.4f}\t{}\n", made.similarities[i], texts[i]);
    }
  }
  out += fmt::format("{} of {} of {}, {}; {} of weights and {} of activations; {} in {:.3f} s\n",
                     enum_name(made.config.kind), count_of(made.config.layers, "layer"),
                     count_of(made.config.width, "value"), report.figure<std::string>("precision"),
                     in_megabytes(report.figure<std::int64_t>("weight_bytes")),
                     in_megabytes(report.figure<std::int64_t>("activation_bytes")),
                     count_of(report.figure<std::int64_t>("tokens"), "token"), report.seconds());
  return out;
}

nlohmann::ordered_json run_json(const run::TextRun& made, const std::vector<std::string>& texts) {
  nlohmann::ordered_json root = report_json(made.report);
  root["network"] = {{"kind", enum_name(made.config.kind)},
                     {"layers", made.config.layers},
                     {"width", made.config.width},
                     {"vocabulary", made.config.vocabulary}};
  root["results"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    nlohmann::ordered_json one{{"text", texts[i]}, {"tokens", made.tokens[i]}};
    if (made.probabilities.rows() > 0) {
      for (std::size_t c = 0; c < made.labels.size(); ++c) {
        one["probabilities"][made.labels[c]] = made.probabilities(row, static_cast<std::int64_t>(c));
      }
    } else {
      one["similarity"] = made.similarities[i];
      if (made.vectors.rows() == std::ssize(texts)) {  // pairs have two vectors each
        const std::span<const float> vector = made.vectors.row(row);
        one["vector"] = std::vector<float>(vector.begin(), vector.end());
      }
    }
    root["results"].push_back(std::move(one));
  }
  return root;
}

std::string generated_text(const run::GeneratedText& made) {
  const Report& report = made.report;
  return fmt::format("{}\n{}, {:.0f} a second, {}; {} of weights and {} of activations\n", made.text,
                     count_of(made.tokens.size(), "token"), report.figure<double>("tokens_per_second"),
                     report.figure<std::string>("precision"),
                     in_megabytes(report.figure<std::int64_t>("weight_bytes")),
                     in_megabytes(report.figure<std::int64_t>("activation_bytes")));
}

nlohmann::ordered_json generated_json(const run::GeneratedText& made) {
  nlohmann::ordered_json root = report_json(made.report);
  root["results"] = {{{"text", made.text}, {"tokens", made.tokens}}};
  return root;
}

}  // namespace parsimony::cli
