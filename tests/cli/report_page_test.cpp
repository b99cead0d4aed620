// --report: the page of a run.
#include "cli/command.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/npy.hpp"

namespace parsimony::cli {
namespace {

class Page : public Command {
 protected:
  std::string image(const std::string& name) const {
    Image made;
    made.channels.emplace_back(24, 24);
    for (int i = 0; i < 24 * 24; ++i) made.channels[0].data()[i] = static_cast<float>(i * 7 % 256);
    write_image(path(name), made);
    return path(name);
  }
  std::string page(const std::string& name) const { return read_text(path(name)); }
};

bool holds(const std::string& text, const std::string& piece) {
  return text.find(piece) != text.npos;
}

TEST_F(Page, ItsCommandMakesTheSameFilesAgain) {
  const std::string graph = block_model("a graph's.mtx", 300, 4);
  const Outcome made = run({"cluster", graph, "--clusters", "auto", "--max-clusters", "6", "--output",
                            path("labels.txt"), "--report", path("run.html"), "-q"});
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string html = page("run.html");
  for (const char* piece : {"<h1>parsimony cluster</h1>", "data:image/png;base64,", "modularity", "Time",
                            "<td>nodes</td><td>300</td>"}) {
    EXPECT_TRUE(holds(html, piece)) << piece;
  }
  const std::size_t begin = html.find("<pre>parsimony ") + 15, end = html.find("</pre>");
  const std::string words = html.substr(begin, end - begin), labels = read_text(path("labels.txt"));
  std::filesystem::remove(path("labels.txt"));
  // A shell reads what a browser shows.
  std::string shown = words;
  for (std::size_t at; (at = shown.find("&quot;")) != shown.npos;) shown.replace(at, 6, "\"");
  ASSERT_EQ(std::system((places::command() + " " + shown + " > /dev/null").c_str()), 0) << shown;
  EXPECT_EQ(read_text(path("labels.txt")), labels);
}

TEST_F(Page, ShowsTheImageBeforeAndAfter) {
  const std::string noisy = image("noisy.png");
  const Outcome made = run({"operator", "denoise", noisy, "--sigma", "20", "--reference", noisy, "--output",
                            path("better.png"), "--report", path("run.htm"), "--json"});
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string html = page("run.htm");
  for (const char* piece : {">before<", ">after<", ">reference<", "psnr"})
    EXPECT_TRUE(holds(html, piece)) << piece;
  EXPECT_TRUE(holds(made.out, "\"psnr\""));
}

TEST_F(Page, HasAWarningThatTheTerminalShowed) {
  Matrix<float> points(40, 2);
  for (std::int64_t i = 0; i < 40; ++i) points(i, 0) = static_cast<float>(i % 4), points(i, 1) = 1;
  write_npy(path("points.npy"), points);
  const Outcome made = run({"cluster", path("points.npy"), "--clusters", "6", "--neighbors", "3", "--output",
                            path("labels.npy"), "--report", path("run.html")});
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string begin = "parsimony: warning: ";
  ASSERT_TRUE(holds(made.err, begin)) << made.err;
  const std::size_t at = made.err.find(begin) + begin.size();
  const std::string first = made.err.substr(at, std::min<std::size_t>(20, made.err.find('\n', at) - at));
  EXPECT_TRUE(holds(page("run.html"), "<p class=\"warning\">" + first)) << first;
}

TEST_F(Page, AppearsWithTheOtherFilesOrNotAtAll) {
  const std::string graph = block_model("g.mtx", 100, 2);
  const std::vector<std::string> before = files();
  const auto with = [&](const std::string& output, const std::string& report) {
    return run({"cluster", graph, "--clusters", "2", "--output", output, "--report", report});
  };
  expect_one_error(with(path("l.txt"), path("run.pdf")), kUsage, {"--report", ".html"});
  expect_one_error(with(path("l.html"), path("l.html")), kUsage, {"l.html"});
  expect_one_error(with(path("l.txt"), path("missing/run.html")), kFailed, {"--report", "missing"});
  EXPECT_EQ(files(), before);
  // The output cannot take its name at the end: a folder has it by then. No page tells of labels then.
  std::filesystem::create_directory(path("late.html"));
  expect_one_error(with(path("l.txt"), path("late.html")), kUsage, {"--report", "late.html"});
  EXPECT_FALSE(std::filesystem::exists(path("l.txt")));
}

}  // namespace
}  // namespace parsimony::cli
