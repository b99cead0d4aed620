#include "parsimony/core/report_page.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

#include "core/images/png_format.hpp"
#include "core/report_chart.hpp"
#include "expect_error.hpp"
#include "parsimony/core/bandwidth.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/core/report_picture.hpp"

namespace parsimony::report_page_test {
namespace {

// Every tag of a page is closed, in the right order, so that no text of a report can be taken for one.
void expect_well_formed(const std::string& page) {
  static const std::regex kTag("<(/?)([a-z0-9]+)([^<>]*)>");
  std::vector<std::string> open;
  std::string text = std::regex_replace(page, std::regex("<!DOCTYPE html>"), "");
  for (auto at = std::sregex_iterator(text.begin(), text.end(), kTag); at != std::sregex_iterator(); ++at) {
    const std::string name = (*at)[2];
    if (name == "meta" || name == "img" || (*at)[3].str().ends_with("/")) continue;
    if ((*at)[1].length() == 0) {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << name;
    ASSERT_EQ(open.back(), name);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
  text = std::regex_replace(text, kTag, "");
  EXPECT_EQ(text.find('<'), text.npos);
}

int count(const std::string& text, const std::string& piece) {
  int found = 0;
  for (std::size_t at = text.find(piece); at != text.npos; at = text.find(piece, at + 1)) ++found;
  return found;
}

TEST(ReportPage, HoldsAllOfTheReportAndWhatIsAdded) {
  Report report = make_report("test of <pages> & \"more\"", Context(2), 7);
  report.stages = {{"first", 0.25, 3'000'000}, {"second", 0.75, 0}};
  report.objective_history = {3, 2, 1.5};
  report.figures.emplace_back("lambda_k", 0.125);
  report.figures.emplace_back("curve", std::vector<double>{1, 2, 3, 4, 5, 6, 7, std::nan("")});
  report.options.emplace_back("rule", std::string("x < y"));
  const std::string page = report_page(report.to_json(), {.title = "parsimony test",
                                                          .command = "parsimony test 'a b' && true",
                                                          .warnings = {"the <first>", "the second"},
                                                          .bandwidth = 24e6});
  expect_well_formed(page);
  for (const char* piece :
       {"<h1>parsimony test</h1>", "test of &lt;pages&gt; &amp; &quot;more&quot;", "converged", "1.000 s",
        "parsimony test 'a b' &amp;&amp; true", "the &lt;first&gt;", "the second",
        "<td>lambda k</td><td>0.125</td>", "curve <small>8 values</small>", "x &lt; y", "--share:25.0%",
        "<td class=\"number\">3 MB</td><td class=\"number\">12 MB</td>", "<td class=\"number\">50 %</td>",
        "<td>seed</td><td>7</td>"}) {
    EXPECT_EQ(count(page, piece), 1) << piece;
  }
  EXPECT_EQ(count(page, "<svg"), 2);  // the curve and the objective
}

TEST(ReportPage, LoadsNothing) {
  const std::string page = report_page(R"({"path": "https://example.org/a", "a": "<script>b</script>"})", {});
  expect_well_formed(page);
  for (const char* piece : {"<script", "<link", "src=\"http", "href", "@import", "url("}) {
    EXPECT_EQ(page.find(piece), page.npos) << piece;
  }
}

TEST(ReportPage, TablesOfObjectsHaveAColumnForEachKey) {
  const std::string page = report_page(
      R"({"weights": [{"name": "a", "bits": 4, "shape": [3, 4]}, {"name": "b", "bits": 8, "group": 64}]})",
      {});
  expect_well_formed(page);
  EXPECT_EQ(count(page, "<th>"), 4);
  EXPECT_EQ(count(page, "--share:50.0%"), 1);  // 4 of 8 bits
  EXPECT_EQ(count(page, "<td>3, 4</td>"), 1);
  std::string many = R"({"rows": [{"name": 0})";
  for (int i = 1; i < 600; ++i) many += R"(,{"name": )" + std::to_string(i) + "}";
  const std::string long_page = report_page(many + "]}", {});
  EXPECT_EQ(count(long_page, "<tr>"), 501);
  EXPECT_NE(long_page.find("and 100 more"), long_page.npos);
}

TEST(ReportPage, ReportsWithinAReportAreFolded) {
  const std::string part = make_report("part", Context(1), 1).to_json();
  const std::string page = report_page(R"({"colors": [)" + part + "," + part + "]}", {});
  expect_well_formed(page);
  EXPECT_EQ(count(page, "<details><summary>part</summary>"), 2);
}

TEST(ReportPage, BytesThatAreNotUtf8AreReplaced) {
  const std::string page = report_page("{}", {.title = "a\xff", .command = "b\x80"});
  EXPECT_EQ(count(page, "\xef\xbf\xbd"), 3);  // the title is twice on the page
  EXPECT_EQ(page.find('\xff'), page.npos);
}

TEST(ReportPage, RefusesWhatIsNoReport) {
  for (const std::string& text :
       {std::string("["), std::string("[1]"), std::string("7"), std::string(200, '[')}) {
    expect_error(ErrorCode::invalid_argument, "report", [&] { report_page(text, {}); });
  }
}

TEST(ReportPicture, IsOnThePageAsThePngThatItWas) {
  Image image;
  image.channels.emplace_back(2, 3);
  for (int i = 0; i < 6; ++i) image.channels[0].data()[i] = static_cast<float>(40 * i);
  image.channels[0](1, 2) = std::nanf("");
  const ReportPicture picture = report_picture("a \"b\"", image);
  const Image back = parse_image(picture.png, "picture");
  ASSERT_EQ(back.width(), 3);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(back.channels[0].data()[i], 40 * i);
  EXPECT_EQ(back.channels[0](1, 2), 0);
  for (std::size_t length = 1; length < 7; ++length) {
    // Base64 of RFC 4648, section 10.
    const std::string words[] = {"Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    const std::string page =
        report_page("{}", {.pictures = {{"a \"b\"", std::string("foobar").substr(0, length)}}});
    EXPECT_EQ(count(page, "base64," + words[length - 1] + "\""), 1);
    EXPECT_EQ(count(page, "a &quot;b&quot;"), 2);
  }
}

TEST(ReportPicture, LargeImagesShrinkByTheMeanOfSquares) {
  Image image;
  image.bits = 16;
  image.channels.emplace_back(3, 2001);  // squares of 3 × 3
  for (std::int64_t y = 0; y < 3; ++y) {
    for (std::int64_t x = 0; x < 2001; ++x)
      image.channels[0](y, x) = static_cast<float>(x % 3 + 3 * y + x / 3 % 100);
  }
  const Image back = parse_image(report_picture("", image).png, "picture");
  ASSERT_EQ(back.width(), 667);
  ASSERT_EQ(back.height(), 1);
  for (std::int64_t x = 0; x < 667; ++x) EXPECT_EQ(back.channels[0](0, x), static_cast<float>(4 + x % 100));
}

TEST(LineChart, GoesFromTheLeastToTheLargestValueAndLeavesGaps) {
  const double inf = std::numeric_limits<double>::infinity(), most = std::numeric_limits<double>::max();
  EXPECT_EQ(line_chart({}), "");
  EXPECT_EQ(line_chart(std::vector<double>{std::nan(""), inf}), "");
  const std::string line = line_chart(std::vector<double>{-most, most, std::nan(""), 0});
  EXPECT_EQ(count(line, "M"), 2);  // a gap
  EXPECT_NE(line.find("M8.0 142.0"), line.npos);
  EXPECT_NE(line.find(" 8.0L"), line.npos);
  EXPECT_NE(line.find("M632.0 75.0"), line.npos);
  EXPECT_EQ(line.find("nan"), line.npos);
  EXPECT_EQ(line.find("inf"), line.npos);
  // Without negative values the range begins at 0: 97 of 100 is near the top, 8 + 134 · 0.03.
  const std::string sizes = line_chart(std::vector<double>{100, 97});
  EXPECT_NE(sizes.find("<span>0</span>"), sizes.npos);
  EXPECT_NE(sizes.find("L632.0 12.0"), sizes.npos) << sizes;
  // One peak among many values is seen.
  std::vector<double> many(100'000, 1.0);
  many[77'777] = 5;
  const std::string long_line = line_chart(many);
  EXPECT_EQ(count(long_line, " 8.0"), 1);
  EXPECT_LT(long_line.size(), 30'000u);
}

TEST(CopyBandwidth, IsNotMeasuredWhereMemoryIsShort) {
  Context context(1);
  EXPECT_GT(copy_bandwidth(context), 0);
  context.memory.bytes = memory_in_use() + (1 << 20);
  EXPECT_EQ(copy_bandwidth(context), 0);
}

}  // namespace
}  // namespace parsimony::report_page_test
