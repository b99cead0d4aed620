#include "networks/show_pictures.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "core/report_json.hpp"

namespace parsimony::cli {
namespace {

std::string class_text(const run::PictureRun& made, std::int64_t label) {
  return made.class_names.empty() ? std::to_string(label) : made.class_names[label];
}

double megabytes(const Report& report, const char* figure) {
  return static_cast<double>(report.figure<std::int64_t>(figure)) / 1e6;
}

}  // namespace

std::string pictures_text(const run::PictureRun& made) {
  const Report& report = made.report;
  std::string out;
  for (std::size_t i = 0; i < made.names.size(); ++i) {
    out += made.names[i] + "\n";
    for (const run::PictureRun::Guess& guess : made.guesses[i]) {
      out += fmt::format("  {:.4f}\t{}\n", guess.probability, class_text(made, guess.label));
    }
  }
  if (const auto* labelled = report.find_figure<std::int64_t>("labelled")) {
    out += fmt::format("{}: {:.2f} % right, {:.2f} % among the first five\n",
                       count_of(*labelled, "labelled picture"), 100 * report.figure<double>("top1"),
                       100 * report.figure<double>("top5"));
  }
  out += fmt::format(
      "efficientnet {} with {} padding, {}; {:.1f} MB of weights and {:.1f} MB of activations; {} in {:.3f} "
      "s\n",
      enum_name(made.variant), report.figure<std::string>("padding"), report.figure<std::string>("precision"),
      megabytes(report, "weight_bytes"), megabytes(report, "activation_bytes"),
      count_of(made.names.size(), "picture"), report.seconds());
  return out;
}

nlohmann::ordered_json pictures_json(const run::PictureRun& made) {
  nlohmann::ordered_json root = report_json(made.report);
  root["network"] = {
      {"kind", "efficientnet"}, {"variant", enum_name(made.variant)}, {"classes", made.classes}};
  root["results"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < made.names.size(); ++i) {
    nlohmann::ordered_json one{{"picture", made.names[i]}};
    if (made.labels[i] >= 0) one["label"] = made.labels[i];
    for (const run::PictureRun::Guess& guess : made.guesses[i]) {
      nlohmann::ordered_json entry{{"class", guess.label}, {"probability", guess.probability}};
      if (!made.class_names.empty()) entry["name"] = made.class_names[guess.label];
      one["classes"].push_back(std::move(entry));
    }
    root["results"].push_back(std::move(one));
  }
  return root;
}

}  // namespace parsimony::cli
