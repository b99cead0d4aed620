// Implements report_page.hpp.
#include "parsimony/core/report_page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "core/json_nesting.hpp"
#include "core/report_chart.hpp"
#include "core/report_style.hpp"
#include "core/size_text.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {
namespace {

using PageJson = nlohmann::ordered_json;

constexpr std::size_t kMostRows = 500;     // in a table
constexpr std::size_t kFewestInChart = 8;  // fewer numbers are written out
constexpr std::size_t kMostWords = 50;     // in a list that is written out

std::string html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Text whose bytes may not be UTF-8, as those of paths.
std::string html_of_bytes(const std::string& text) {
  return html(PageJson::parse(PageJson(text).dump(-1, ' ', false, PageJson::error_handler_t::replace))
                  .get<std::string>());
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    const std::size_t held = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j) {
      word = word << 8 | (j < held ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) out += j <= held ? kDigits[word >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

std::string name_of(std::string_view key) {
  std::string name(key);
  std::replace(name.begin(), name.end(), '_', ' ');
  return html(name);
}

bool counts_bytes(std::string_view key) {
  return key == "bytes" || key.ends_with("_bytes") || key == "limit" || key.ends_with("estimate") ||
         key == "peak" || key == "max_memory";
}

bool all_numbers(const PageJson& list) {
  return std::all_of(list.begin(), list.end(),
                     [](const PageJson& v) { return v.is_number() || v.is_null(); });
}

bool all_objects(const PageJson& list) {
  return !list.empty() &&
         std::all_of(list.begin(), list.end(), [](const PageJson& v) { return v.is_object(); });
}

double number_of(const PageJson& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

// A value in a cell of a table.
std::string cell_text(std::string_view key, const PageJson& value) {
  if (value.is_null()) return "–";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number() && counts_bytes(key) && value.get<double>() >= 0)
    return size_text(value.get<double>());
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  if (value.is_string()) return html(value.get<std::string>());
  if (value.is_array()) {
    std::string text;
    for (std::size_t i = 0; i < std::min(value.size(), kMostWords); ++i) {
      text += (i > 0 ? ", " : "") + cell_text("", value[i]);
    }
    return value.size() > kMostWords ? text + fmt::format(", … ({})", value.size()) : text;
  }
  return html(value.dump());
}

// A row for each object and a column for each key; numbers have a bar of their share of the largest.
std::string object_table(const PageJson& list) {
  std::vector<std::string> columns;
  std::vector<double> largest;
  for (const PageJson& object : list) {
    for (const auto& [key, value] : object.items()) {
      auto at = std::find(columns.begin(), columns.end(), key) - columns.begin();
      if (at == std::ssize(columns)) {
        columns.push_back(key);
        largest.push_back(0);
      }
      if (value.is_number()) largest[at] = std::max(largest[at], value.get<double>());
    }
  }
  std::string out = "<div class=\"wide\"><table><tr>";
  for (const std::string& column : columns) out += "<th>" + name_of(column) + "</th>";
  out += "</tr>\n";
  for (std::size_t row = 0; row < std::min(list.size(), kMostRows); ++row) {
    out += "<tr>";
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto found = list[row].find(columns[c]);
      if (found == list[row].end()) {
        out += "<td></td>";
      } else if (found->is_number() && largest[c] > 0) {
        out += fmt::format(R"(<td class="number" style="--share:{:.1f}%">{}</td>)",
                           std::max(0.0, 100 * (found->get<double>() / largest[c])),
                           cell_text(columns[c], *found));
      } else {
        out += fmt::format("<td{}>{}</td>", found->is_number() ? " class=\"number\"" : "",
                           cell_text(columns[c], *found));
      }
    }
    out += "</tr>\n";
  }
  out += "</table></div>\n";
  if (list.size() > kMostRows)
    out += fmt::format("<p>and {} more, which the JSON report has</p>\n", list.size() - kMostRows);
  return out;
}

std::string sections(const PageJson& report, const ReportPage& page);

std::string chart_of(const PageJson& list) {
  std::vector<double> values;
  values.reserve(list.size());
  for (const PageJson& value : list) values.push_back(number_of(value));
  return line_chart(values);
}

std::string pairs(const PageJson& object, std::string_view of = {});

// A value of any kind, with the name that it has.
std::string block(std::string_view key, const PageJson& value) {
  if (value.is_object()) return fmt::format("<h3>{}</h3>\n{}", name_of(key), pairs(value, key));
  if (value.is_array() && value.size() >= kFewestInChart && all_numbers(value)) {
    return fmt::format("<h3>{} <small>{}</small></h3>\n{}\n", name_of(key), count_of(value.size(), "value"),
                       chart_of(value));
  }
  std::string out = fmt::format("<h3>{}</h3>\n", name_of(key));
  if (value.front().contains("stages")) {
    for (const PageJson& part : value) {
      out += fmt::format("<details><summary>{}</summary>\n{}</details>\n",
                         cell_text("", part.value("algorithm", PageJson("part"))), sections(part, {}));
    }
    return out;
  }
  return out + object_table(value);
}

bool is_short(const PageJson& value) {
  if (value.is_object()) return false;
  if (!value.is_array()) return true;
  return !all_objects(value) && (value.size() < kFewestInChart || !all_numbers(value));
}

// A table of the short values, then a block for each of the others.
std::string pairs(const PageJson& object, std::string_view of) {
  std::string rows, blocks;
  for (const auto& [key, value] : object.items()) {
    if (value.is_structured() && value.empty()) continue;
    if (is_short(value)) {
      const bool unlimited = of == "memory" && value == 0;
      rows += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", name_of(key),
                          unlimited ? "none" : cell_text(key, value));
    } else {
      blocks += block(key, value);
    }
  }
  return (rows.empty() ? "" : "<table class=\"pairs\">\n" + rows + "</table>\n") + blocks;
}

std::string stage_table(const PageJson& stages, double bandwidth) {
  const auto held = [](const PageJson& stage, const char* key) {
    return std::max(0.0, number_of(stage.value(key, PageJson(0))));
  };
  double total = 0, moved = 0;
  for (const PageJson& stage : stages) {
    total += held(stage, "seconds");
    moved += held(stage, "bytes");
  }
  const bool compares = moved > 0 && bandwidth > 0;
  std::string out = "<table><tr><th>stage</th><th>seconds</th>";
  if (moved > 0) out += "<th>bytes moved</th><th>per second</th>";
  if (compares) out += "<th>of a copy</th>";
  out += "</tr>\n";
  for (const PageJson& stage : stages) {
    const double seconds = held(stage, "seconds"), bytes = held(stage, "bytes");
    const double rate = seconds > 0 ? bytes / seconds : 0;
    out += fmt::format(R"(<tr><td>{}</td><td class="number" style="--share:{:.1f}%">{:.4f}</td>)",
                       cell_text("", stage.value("name", PageJson(""))),
                       total > 0 ? 100 * seconds / total : 0, seconds);
    if (moved > 0) {
      out += fmt::format(R"(<td class="number">{}</td><td class="number">{}</td>)",
                         bytes > 0 ? size_text(bytes) : "", rate > 0 ? size_text(rate) : "");
    }
    if (compares) {
      out += fmt::format(R"(<td class="number">{}</td>)",
                         rate > 0 ? fmt::format("{:.0f} %", 100 * rate / bandwidth) : "");
    }
    out += "</tr>\n";
  }
  out += "</table>\n";
  if (compares) {
    out += fmt::format(
        "<p>The bytes are those of the cost model of each stage. A copy within the memory moves {} a second "
        "here; a stage may exceed it if its data fit into a cache.</p>\n",
        size_text(bandwidth));
  }
  return out;
}

std::string section(std::string_view heading, const std::string& body) {
  if (body.empty()) return {};
  return fmt::format("<section><h2>{}</h2>\n{}</section>\n", heading, body);
}

// The keys of Report::to_json() that have their own place; all others follow the figures.
constexpr std::array<std::string_view, 13> kOwnPlace{
    "algorithm", "status",  "iterations",  "seconds", "figures", "objective_history", "stages", "options",
    "seed",      "threads", "simd_target", "version", "memory"};

std::string sections(const PageJson& report, const ReportPage& page) {
  const auto held = [&](const char* key) { return report.value(key, PageJson()); };
  std::string out;
  if (const PageJson figures = held("figures"); figures.is_object())
    out += section("Figures", pairs(figures));
  PageJson rest = PageJson::object();
  for (const auto& [key, value] : report.items()) {
    if (std::find(kOwnPlace.begin(), kOwnPlace.end(), key) != kOwnPlace.end()) continue;
    if (value.is_object()) {
      out += section(name_of(key), pairs(value, key));
    } else {
      rest[key] = value;
    }
  }
  out += section("Results", pairs(rest));
  if (const PageJson history = held("objective_history");
      history.is_array() && history.size() > 1 && all_numbers(history)) {
    out += section("Objective, by iteration", chart_of(history) + "\n");
  }
  if (const PageJson stages = held("stages"); all_objects(stages))
    out += section("Time", stage_table(stages, page.bandwidth));
  if (const PageJson options = held("options"); options.is_object())
    out += section("Options as used", pairs(options));
  PageJson machine = PageJson::object();
  for (const char* key : {"version", "simd_target", "threads", "seed", "memory"}) {
    if (report.contains(key)) machine[key] = report[key];
  }
  return out + section("Program and machine", pairs(machine));
}

std::string lead(const PageJson& report) {
  std::vector<std::string> parts;
  const auto add = [&](const char* key, const std::string& form) {
    const auto found = report.find(key);
    if (found != report.end() && (found->is_string() || found->is_number())) {
      parts.push_back(fmt::format(fmt::runtime(form), cell_text("", *found)));
    }
  };
  add("algorithm", "{}");
  if (report.value("status", PageJson()) == "iteration_limit") {
    parts.emplace_back("<strong>an iteration limit was met</strong>");
  } else {
    add("status", "{}");
  }
  if (const double seconds = number_of(report.value("seconds", PageJson())); std::isfinite(seconds)) {
    parts.push_back(fmt::format("{:.3f} s", seconds));
  }
  add("threads", "threads: {}");
  if (report.contains("/memory/peak"_json_pointer)) {
    parts.push_back("peak " + cell_text("peak", report["memory"]["peak"]));
  }
  return fmt::format("<p class=\"lead\">{}</p>\n", fmt::join(parts, " · "));
}

}  // namespace

std::string report_page(std::string_view json, const ReportPage& page) {
  if (nests_too_deep(json)) refuse("report: lists and objects lie more than 100 deep within each other");
  const PageJson report = PageJson::parse(json, nullptr, false);
  if (!report.is_object()) refuse("report: not a JSON object");
  const std::string title = html_of_bytes(page.title);
  std::string out = fmt::format(R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{}</title>
<style>{}</style></head>
<body><main>
<h1>{}</h1>
)",
                                title, kReportStyle, title);
  out += lead(report);
  for (const std::string& warning : page.warnings)
    out += "<p class=\"warning\">" + html_of_bytes(warning) + "</p>\n";
  if (!page.command.empty()) out += "<pre>" + html_of_bytes(page.command) + "</pre>\n";
  if (!page.pictures.empty()) {
    out += "<section class=\"pictures\">\n";
    for (const ReportPicture& picture : page.pictures) {
      const std::string caption = html_of_bytes(picture.caption);
      out += fmt::format(
          "<figure><img alt=\"{}\" src=\"data:image/png;base64,{}\"><figcaption>{}</figcaption></figure>\n",
          caption, base64(picture.png), caption);
    }
    out += "</section>\n";
  }
  return out + sections(report, page) + "</main></body></html>\n";
}

}  // namespace parsimony
