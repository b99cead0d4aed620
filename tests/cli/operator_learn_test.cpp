// parsimony operator learn, from files to files, and everything it refuses.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "parsimony/operators/signals.hpp"

namespace parsimony::cli {
namespace {

using namespace std::chrono_literals;

class OperatorLearn : public Command {
 protected:
  // 12 × 8 operator, 400 signals: learned in no time.
  std::string signals(const std::string& name = "signals.npy", double snr = 0) const {
    const Matrix<float> clean =
        operators::cosparse_signals(truth, {.samples = 400, .cosparsity = 5, .seed = 1});
    write_npy(path(name), MatrixView<const float>(snr > 0 ? operators::with_noise(clean, snr) : clean));
    return path(name);
  }
  std::string image(const std::string& name, bool flat = false) const {
    Image out;
    out.channels.emplace_back(40, 50);
    const RandomStream random(1, "test.image");
    for (std::int64_t i = 0; i < 2000; ++i) {
      out.channels[0].data()[i] =
          flat ? 90 : static_cast<float>(random.below(256, static_cast<std::uint64_t>(i)));
    }
    write_image(path(name), out);
    return path(name);
  }
  Outcome learn(std::vector<std::string> more, const std::string& output = "operator.npy") const {
    more.insert(more.begin(), {"operator", "learn"});
    more.insert(more.end(), {"--output", path(output), "--quiet"});
    return run(more);
  }
  void refused(const std::vector<std::string>& arguments, int code,
               const std::vector<std::string>& parts) const {
    const auto before = files();
    expect_one_error(learn(arguments), code, parts);
    EXPECT_EQ(files(), before) << "nothing is written";
  }

  Matrix<double> truth = operators::random_untf(12, 8, 3);
};

TEST_F(OperatorLearn, RecoversTheOperatorOfAnArray) {
  const std::string data = signals();
  for (const char* method : {"geometric", "untf"}) {
    const Outcome outcome = learn({data, "--rows", "12", "--method", method, "--json"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const Matrix<double> omega = operators::read_operator(path("operator.npy"));
    EXPECT_EQ(operators::recovered_rows(truth, omega), 1) << method;
    const auto report = nlohmann::json::parse(outcome.out);
    EXPECT_EQ(report["operator"]["rows"], 12);
    EXPECT_EQ(report["operator"]["cols"], 8);
    EXPECT_EQ(report["operator"]["method"], method);
    EXPECT_EQ(report["data"]["signals"], 400);
    EXPECT_EQ(report["data"]["images"], false);
    EXPECT_EQ(report["status"], "converged");
    EXPECT_GT(report["objective_history"].size(), 2u);
    EXPECT_NEAR(report["operator"]["coherence"], operators::coherence(omega), 1e-12);
  }
}

TEST_F(OperatorLearn, RowsAreTwiceTheValuesUnlessGiven) {
  ASSERT_EQ(learn({signals(), "--method", "untf", "--exploration", "20"}).code, 0);
  EXPECT_EQ(operators::read_operator(path("operator.npy")).rows(), 16);
}

TEST_F(OperatorLearn, SameBytesForAnyNumberOfThreads) {
  const std::string data = signals();
  for (const char* threads : {"1", "2", "3"}) {
    ASSERT_EQ(learn({data, "--rows", "12", "--method", "untf", "--threads", threads, "--exploration", "200"},
                    std::string(threads) + ".npy")
                  .code,
              0);
    EXPECT_EQ(read_text(path(std::string(threads) + ".npy")), read_text(path("1.npy")));
  }
}

TEST_F(OperatorLearn, NoiseAware) {
  const std::string data = signals("noisy.npy", 14);
  const Outcome outcome =
      learn({data, "--rows", "12", "--method", "untf", "--noise-aware", "--exploration", "400", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto report = nlohmann::json::parse(outcome.out);
  const double noise = report["figures"]["noise"], lambda = report["options"]["lambda"];
  EXPECT_NEAR(lambda * noise, 1.5, 1e-9);
  const Outcome given = learn({data, "--rows", "12", "--method", "untf", "--noise-aware", "--lambda", "40",
                               "--exploration", "40", "--json"});
  EXPECT_EQ(nlohmann::json::parse(given.out)["options"]["lambda"], 40);
}

TEST_F(OperatorLearn, FromPatchesOfImages) {
  const std::string one = image("one.png"), two = image("two.pgm");
  const Outcome outcome = learn({one, two, "--rows", "20", "--patch", "4", "--samples", "500", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Matrix<double> omega = operators::read_operator(path("operator.npy"));
  EXPECT_EQ(omega.rows(), 20);
  EXPECT_EQ(omega.cols(), 16);
  for (std::int64_t i = 0; i < 20; ++i) {
    double sum = 0;
    for (const double value : omega.row(i)) sum += value;
    EXPECT_NEAR(sum, 0, 1e-10) << "rows of images have no mean";
  }
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["data"]["signals"], 500);
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["options"]["nu"], 5000);
  // The 8 × 8 patches of a .npy image.
  Matrix<float> floats(40, 40);
  RandomStream(1, "test").fill_normal(floats.values(), 0, 50);
  write_npy(path("image.npy"), MatrixView<const float>(floats));
  ASSERT_EQ(
      learn({path("image.npy"), "--rows", "64", "--patch", "8", "--samples", "200", "--max-iterations", "2"})
          .code,
      kNotConverged);
  EXPECT_EQ(operators::read_operator(path("operator.npy")).cols(), 64);
}

TEST_F(OperatorLearn, DrawsTheRows) {
  const std::string picture = image("image.png");
  ASSERT_EQ(
      learn({picture, "--rows", "16", "--patch", "4", "--samples", "300", "--picture", path("atlas.png")})
          .code,
      0);
  const Image drawn = read_image(path("atlas.png"));
  EXPECT_GE(drawn.width() * drawn.height(), 16 * 16 * 16) << "sixteen tiles of 4 × 4 squares";
  refused({picture, "--rows", "16", "--patch", "4", "--picture", path("atlas.pgm")}, kUsage,
          {"--picture", ".png"});
  refused({picture, "--rows", "16", "--patch", "4", "--picture", picture}, kUsage,
          {"--picture", "would overwrite"});
  refused({picture, "--rows", "16", "--patch", "4", "--picture", path("no/atlas.png")}, kFailed,
          {"--picture"});
  refused({signals(), "--rows", "12", "--picture", path("a.png")}, kUsage,
          {"--picture", "8 values are not square"});
}

TEST_F(OperatorLearn, ZeroMeanAndSamples) {
  ASSERT_EQ(learn({signals(), "--rows", "7", "--zero-mean", "--samples", "300", "--method", "untf",
                   "--exploration", "200"})
                .code,
            0);
  const Matrix<double> omega = operators::read_operator(path("operator.npy"));
  EXPECT_EQ(omega.rows(), 7);
  for (std::int64_t i = 0; i < 7; ++i) {
    double sum = 0;
    for (const double value : omega.row(i)) sum += value;
    EXPECT_NEAR(sum, 0, 1e-12);
  }
}

TEST_F(OperatorLearn, AnIterationLimitIsSaid) {
  const Outcome outcome = run({"operator", "learn", signals(), "--rows", "12", "--method", "untf",
                               "--max-steps", "5", "--output", path("operator.npy")});
  EXPECT_EQ(outcome.code, kNotConverged);
  EXPECT_NE(outcome.err.find("not converged"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("12 x 8, untf"), std::string::npos) << outcome.out;
}

TEST_F(OperatorLearn, RefusesFlagsThatCannotBe) {
  const std::string missing = path("missing.npy");
  for (const char* flag : {"--nu=0",
                           "--kappa=-1",
                           "--mu=x",
                           "--first-nu=0",
                           "--stages=0",
                           "--max-iterations=-1",
                           "--memory=0",
                           "--tolerance=2",
                           "--restarts=0",
                           "--batch-size=-1",
                           "--batches=-1",
                           "--rate=0",
                           "--seed=-1",
                           "--rows=0",
                           "--rows=many",
                           "--samples=0",
                           "--patch=1",
                           "--patch=65",
                           "--min-deviation=-1",
                           "--threads=-1",
                           "--max-memory=-1",
                           "--method=magic"}) {
    const std::string name = std::string(flag).substr(0, std::string(flag).find('='));
    refused({missing, "--rows", "12", flag}, kUsage, {name});
  }
  for (const char* flag :
       {"--steps=slow", "--exploration=0", "--first-step=0", "--half-life=0", "--projections=0",
        "--step-tolerance=2", "--max-steps=0", "--lambda=-1", "--splitting-iterations=0"}) {
    const std::string name = std::string(flag).substr(0, std::string(flag).find('='));
    refused({missing, "--rows", "12", "--method", "untf", flag}, kUsage, {name});
  }
  refused({missing, "--rows", "12", "--noise-aware"}, kUsage,
          {"--noise-aware", "--method geometric", "untf"});
  refused({missing, "--rows", "12", "--nu", "9", "--method", "untf"}, kUsage,
          {"--nu", "--method untf", "geometric"});
  refused({missing, "--rows", "12", "--lambda", "9", "--method", "untf"}, kFailed, {"missing.npy"});
  const std::string data = signals();
  refused({data, "--rows", "12", "--lambda", "9", "--method", "untf"}, kUsage, {"--lambda", "--noise-aware"});
  refused({"--rows", "12"}, kUsage, {"DATA"});
  expect_one_error(run({"operator", "learn", data, "--rows", "12"}), kUsage, {"--output"});
  expect_one_error(run({"operator", "learn", data, "--rows", "12", "--output", data}), kUsage,
                   {"--output", "would overwrite"});
  expect_one_error(run({"operator", "learn", data, "--rows", "12", "--output", path("o.txt")}), kUsage,
                   {"--output", ".npy"});
  expect_one_error(run({"operator", "learn", data, "--rows", "12", "--output", path("no/o.npy")}), kFailed,
                   {"--output"});
  expect_one_error(run({"operator"}), kUsage, {"a verb is missing", "learn"});
  expect_one_error(run({"operator", "lern"}), kUsage, {"did you mean learn?"});
}

TEST_F(OperatorLearn, RefusesDataThatCannotBe) {
  const std::string data = signals(), picture = image("image.png");
  refused({path("missing.npy"), "--rows", "12"}, kFailed, {"missing.npy"});
  refused({data, "--rows", "7"}, kUsage, {"--rows: 7 rows for signals of 8 values", "at least 8"});
  refused({data, "--rows", "6", "--zero-mean"}, kUsage, {"--rows: 6", "without their mean", "at least 7"});
  refused({data, "--rows", "401"}, kUsage, {"--rows: 401 rows from 400 signals"});
  refused({data, "--rows", "301", "--samples", "300"}, kUsage, {"--rows: 301 rows from 300 signals"});
  refused({data, "--rows", "12", "--samples", "401"}, kUsage, {"--samples: 401 of the 400 signals"});
  refused({data, "--rows", "12", "--min-deviation", "2"}, kUsage, {"--min-deviation", "array of signals"});
  refused({data, data, "--rows", "12"}, kUsage, {"stands alone"});
  refused({data, picture, "--rows", "64"}, kUsage, {"stands alone"});
  refused({data, "--rows", "12", "--max-memory", "1kB"}, kFailed, {"--max-memory", "1000"});

  Matrix<float> broken(50, 8), constant(50, 8), column(50, 1);
  RandomStream(1, "test").fill_normal(broken.values());
  RandomStream(1, "test").fill_normal(column.values());
  broken(17, 3) = std::numeric_limits<float>::quiet_NaN();
  for (std::int64_t s = 0; s < 50; ++s) std::fill_n(constant.row(s).data(), 8, static_cast<float>(s));
  write_npy(path("nan.npy"), MatrixView<const float>(broken));
  write_npy(path("constant.npy"), MatrixView<const float>(constant));
  write_npy(path("column.npy"), MatrixView<const float>(column));
  for (const char* method : {"geometric", "untf"}) {
    refused({path("nan.npy"), "--rows", "12", "--method", method}, kFailed,
            {"nan.npy: row 17", "not finite"});
    refused({path("constant.npy"), "--rows", "12", "--method", method}, kFailed, {"each is constant"});
    refused({path("column.npy"), "--rows", "12", "--method", method}, kFailed, {"column.npy: 50 × 1"});
  }
  const std::string bytes = read_text(data);
  refused({write("cut.npy", bytes.substr(0, bytes.size() / 2)), "--rows", "12"}, kFailed, {"cut.npy"});
  refused({write("text.npy", "1 2 3\n"), "--rows", "12"}, kFailed, {"text.npy"});

  refused({image("flat.png", true), "--rows", "64"}, kUsage, {"flat"});
  refused({picture, "--rows", "63", "--patch", "9"}, kUsage, {"--rows: 63", "81 values", "at least 80"});
  refused({picture, "--rows", "3000", "--patch", "64"}, kUsage, {"64"});
  const std::string png = read_text(picture);
  refused({write("cut.png", png.substr(0, png.size() / 2)), "--rows", "64"}, kFailed, {"cut.png"});
  refused({write("text.png", "no picture"), "--rows", "64"}, kFailed, {"text.png"});
}

TEST_F(OperatorLearn, CancelledLeavesNothing) {
  const std::string data = signals();
  const auto before = files();
  for (const char* flag : {"--exploration", "--noise-aware"}) {
    std::vector<std::string> arguments{"operator",   "learn",    data,          "--rows",
                                       "12",         "--method", "untf",        "--max-steps",
                                       "1000000000", "--output", path("o.npy"), flag};
    if (std::string(flag) == "--exploration") arguments.emplace_back("1000000000");
    if (std::string(flag) == "--noise-aware") {
      arguments.insert(arguments.end(), {"--exploration", "1000000", "--splitting-iterations", "1000000"});
    }
    const pid_t process = start(arguments);
    std::this_thread::sleep_for(300ms);
    kill(process, SIGINT);
    const Outcome outcome = finish(process);
    EXPECT_EQ(outcome.code, 130) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(files(), before);
  }
}

TEST_F(OperatorLearn, AFullDiskIsNoSuccess) {
  const std::string shell = places::command() + " operator learn " + signals() + " --rows 12 --output " +
                            path("o.npy") + " > /dev/full 2> " + path("stderr");
  const int status = std::system(shell.c_str());
  EXPECT_EQ(WEXITSTATUS(status), kFailed);
}

TEST_F(OperatorLearn, HelpShowsAnExample) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"operator", "--help"}, {"operator", "learn", "--help"}}) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_NE(outcome.out.find("\n  parsimony operator learn"), std::string::npos) << outcome.out;
  }
}

}  // namespace
}  // namespace parsimony::cli
