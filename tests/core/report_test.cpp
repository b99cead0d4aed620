#include "parsimony/core/report.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/report_json.hpp"
#include "parsimony/core/version.hpp"

namespace parsimony::report_test {
namespace {

struct Options {
  std::int64_t clusters = 3;
  double tolerance = 0.5;
  bool whole = true;
};

template <OptionsOf<Options> Struct, class Visitor>
void describe(Struct& options, Visitor&& visit) {
  visit(Field{"clusters", "number of clusters", 1, 10}, options.clusters);
  visit(Field{"tolerance", "where to stop", 0, 1}, options.tolerance);
  visit(Field{"whole", "whether all of it"}, options.whole);
}

Report made() {
  Report report = make_report("test", Context(2), 7);
  record_options(report, Options{});
  report.figures.emplace_back("lambda", 0.25);
  report.figures.emplace_back("seeds", std::int64_t{4});
  report.stages = {{"first", 1, 100}, {"second", 0.5, 0}};
  report.objective_history = {3, 2};
  return report;
}

TEST(Report, FiguresAreFoundByNameAndType) {
  const Report report = made();
  EXPECT_EQ(report.figure<double>("lambda"), 0.25);
  EXPECT_EQ(report.figure<std::int64_t>("seeds"), 4);
  EXPECT_EQ(report.find_figure<double>("mu"), nullptr);
  EXPECT_EQ(report.find_figure<double>("seeds"), nullptr) << "of another type";
  try {
    report.figure<double>("mu");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_NE(std::string(error.what()).find("test has no figure mu"), std::string::npos) << error.what();
  }
}

TEST(Report, TheTextIsTheValue) {
  Report report = made();
  EXPECT_EQ(nlohmann::json::parse(report.to_json()), nlohmann::json(report_json(report)));
  EXPECT_EQ(report_json(report)["options"]["tolerance"], 0.5);
  EXPECT_EQ(report_json(report)["seconds"], 1.5);
  EXPECT_EQ(report_json(report)["version"], version());
  EXPECT_FALSE(report_json(report)["stages"][1].contains("bytes")) << "not modelled";
  report.figures.emplace_back("curvature", std::numeric_limits<double>::quiet_NaN());
  EXPECT_TRUE(nlohmann::json::parse(report.to_json())["figures"]["curvature"].is_null());
  EXPECT_EQ(report.to_json(-1).find('\n'), std::string::npos);
}

TEST(Report, TheReportOfAnEarlierStepGoesBefore) {
  Report earlier;
  earlier.stages = {{"read", 2, 0}};
  earlier.figures.emplace_back("recall", 1.0);
  Report report = made();
  add_before(report, earlier);
  EXPECT_EQ(report.stages.front().name, "read");
  EXPECT_EQ(report.figures.back().first, "recall");
  EXPECT_EQ(report.seconds(), 3.5);
}

}  // namespace
}  // namespace parsimony::report_test
