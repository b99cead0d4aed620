// parsimony operator learn --unrolled: from images to a flow that operator denoise takes.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/images/flow_training.hpp"
#include "parsimony/operators/operator_file.hpp"

namespace parsimony::cli {
namespace {

using namespace std::chrono_literals;

class OperatorLearnFlow : public Command {
 protected:
  // 24 × 24: a bright rectangle, and grain that the seed decides.
  std::string image(const std::string& name, std::uint64_t seed = 1) const {
    Image out;
    out.channels.emplace_back(24, 24);
    const RandomStream random(seed, "test.image");
    for (std::int64_t i = 0; i < 576; ++i) {
      const bool inside = i / 24 > 6 && i % 24 > 9;
      out.channels[0].data()[i] =
          (inside ? 180.0f : 60.0f) + static_cast<float>(random.below(9, static_cast<std::uint64_t>(i)));
    }
    write_image(path(name), out);
    return path(name);
  }
  // Filters of 3 × 3, crops of the whole image: an iteration in no time.
  std::vector<std::string> small(std::vector<std::string> data, const std::string& output,
                                 const std::vector<std::string>& more = {}) const {
    data.insert(data.begin(), {"operator", "learn"});
    data.insert(data.end(), {"--unrolled", "--side", "3", "--filters", "4", "--flow-steps", "2", "--crops",
                             "2", "--crop-side", "24", "--output", output});
    data.insert(data.end(), more.begin(), more.end());
    return data;
  }
  images::FlowTrainingOptions small_options() const {
    images::FlowTrainingOptions options;
    options.side = 3;
    options.filters = 4;
    options.steps = 2;
    options.crops = 2;
    options.crop_side = 24;
    options.iterations = 2;
    return options;
  }
  void refused(const std::vector<std::string>& arguments, int code,
               const std::vector<std::string>& parts) const {
    const auto before = files();
    SCOPED_TRACE(parts.front());
    expect_one_error(run(arguments), code, parts);
    EXPECT_EQ(files(), before) << "nothing is written";
  }
};

TEST_F(OperatorLearnFlow, WhatIsLearnedDenoisesAndThreadsChangeNothing) {
  const std::string one = image("one.png"), two = image("two.pgm", 2);
  for (const std::string threads : {"1", "2"}) {
    const std::string flow = path(threads + ".npz");
    const Outcome learned =
        run(small({one, two}, flow,
                  {"--iterations", "2", "--sigma", "15", "--seed", "4", "--json", "--threads", threads}));
    ASSERT_EQ(learned.code, 0) << learned.err;
    EXPECT_EQ(learned.err, "");
    const auto report = nlohmann::json::parse(learned.out);
    EXPECT_EQ(report["options"]["sigma"], 15);
    EXPECT_EQ(report["options"]["iterations"], 2);
    EXPECT_EQ(report["objective_history"].size(), 2u);
    EXPECT_EQ(report["data"]["paths"].size(), 2u);
    EXPECT_EQ(report["flow"]["steps"], 2);
    EXPECT_EQ(report["flow"]["filters"], 4);
    EXPECT_EQ(report["flow"]["own_filters"], true);
    const Outcome denoised = run({"operator", "denoise", one, "--flow", flow, "--sigma", "15", "--output",
                                  path(threads + ".png"), "--threads", threads, "--quiet"});
    ASSERT_EQ(denoised.code, 0) << denoised.err;
  }
  EXPECT_EQ(read_text(path("1.npz")), read_text(path("2.npz")));
  EXPECT_EQ(read_text(path("1.png")), read_text(path("2.png")));
  EXPECT_EQ(files(), (std::vector<std::string>{"1.npz", "1.png", "2.npz", "2.png", "one.png", "two.pgm"}))
      << "the checkpoint is gone";
  ASSERT_EQ(run({"operator", "denoise", one, "--sigma", "15", "--output", path("shipped.png")}).code, 0);
  EXPECT_NE(read_text(path("1.png")), read_text(path("shipped.png"))) << "it is the flow of the file";
}

TEST_F(OperatorLearnFlow, IsTheTrainingOfTheLibrary) {
  const std::string one = image("one.png");
  const Matrix<float> pixels = std::move(read_image(one).channels[0]);
  const std::vector<MatrixView<const float>> views{pixels.view()};
  images::FlowTrainingOptions options = small_options();
  options.own_filters = options.tails = false;
  options.highest_sigma = 40;
  options.learning_rate = 0.01;
  options.warm_up = 0.5;
  options.seed = 9;
  // As if it had been interrupted: the checkpoint of the same training is gone on from, and goes.
  const std::string output = path("flow.npz"), checkpoint = output + ".checkpoint";
  options.checkpoint = checkpoint;
  const auto trained = images::train_unrolled_flow(views, options);
  images::save_unrolled_flow(path("expected.npz"), trained.flow);
  const std::vector<std::string> more{"--iterations",    "2",   "--no-own-filters", "--no-tails",
                                      "--highest-sigma", "40",  "--learning-rate",  "0.01",
                                      "--warm-up",       "0.5", "--seed",           "9"};
  for (const char* start : {"at the end", "anew"}) {
    const Outcome outcome = run(small({one}, output, more));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err.find("going on after iteration 2") != std::string::npos,
              std::string(start) == "at the end")
        << outcome.err;
    EXPECT_NE(outcome.out.find("2 steps, 4 filters of 3 x 3 pixels\n"), std::string::npos) << outcome.out;
    EXPECT_EQ(read_text(output), read_text(path("expected.npz"))) << start;
    EXPECT_FALSE(std::filesystem::exists(checkpoint));
  }
}

TEST_F(OperatorLearnFlow, OneEnergyIsThatOfAnOperatorWhichIsWritten) {
  const std::string one = image("one.png"), output = path("trained.npy");
  const Outcome learned = run(
      small({one}, output, {"--iterations", "2", "--one-energy", "--json", "--picture", path("atlas.png")}));
  ASSERT_EQ(learned.code, 0) << learned.err;
  const auto report = nlohmann::json::parse(learned.out);
  EXPECT_EQ(report["operator"]["rows"], 4);
  EXPECT_EQ(report["operator"]["cols"], 9);
  EXPECT_EQ(report["options"]["tails"], false);
  EXPECT_GT(read_image(path("atlas.png")).channels[0].size(), 4 * 9);
  const Matrix<float> pixels = std::move(read_image(one).channels[0]);
  const std::vector<MatrixView<const float>> views{pixels.view()};
  images::FlowTrainingOptions options = small_options();
  options.one_energy = true;
  const Matrix<double> expected = images::flow_operator(images::train_unrolled_flow(views, options).flow);
  const Matrix<double> found = operators::read_operator(output);
  EXPECT_TRUE(std::ranges::equal(found.values(), expected.values()));
  const Outcome denoised = run({"operator", "denoise", one, "--operator", output, "--method", "analysis",
                                "--sigma", "15", "--output", path("out.png")});
  EXPECT_EQ(denoised.code, 0) << denoised.err;
  refused(small({one}, path("trained.npz"), {"--one-energy"}), kUsage, {"--output: the operator", ".npy"});
  refused(small({one}, path("flow.npz"), {"--picture", path("a.png")}), kUsage,
          {"--picture", "--one-energy"});
}

TEST_F(OperatorLearnFlow, CancelledKeepsOnlyTheCheckpointAndGoesOnFromIt) {
  const std::string one = image("one.png"), output = path("flow.npz");
  for (const bool again : {false, true}) {
    const pid_t process = start(small({one}, output, {"--iterations", "10000000"}));
    std::this_thread::sleep_for(400ms);
    kill(process, SIGINT);
    const Outcome outcome = finish(process);
    EXPECT_EQ(outcome.code, kCancelled) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err.find("going on after iteration") != std::string::npos, again) << outcome.err;
    EXPECT_EQ(files(), (std::vector<std::string>{"flow.npz.checkpoint", "one.png"}));
  }
  const std::string kept = read_text(output + ".checkpoint");
  refused(small({one}, output, {"--iterations", "2"}), kFailed, {"flow.npz.checkpoint", "other options"});
  EXPECT_EQ(read_text(output + ".checkpoint"), kept);
  write("flow.npz.checkpoint", "no archive");
  refused(small({one}, output, {"--iterations", "10000000"}), kFailed, {"flow.npz.checkpoint"});
}

TEST_F(OperatorLearnFlow, RefusesFlagsThatCannotBe) {
  const std::string missing = path("missing.png"), output = path("flow.npz");
  for (const std::string flag :
       {"--sigma=0", "--highest-sigma=-1", "--filters=0", "--flow-steps=0", "--side=1", "--side=17",
        "--iterations=0", "--crops=0", "--crop-side=4", "--learning-rate=0", "--learning-rate=fast",
        "--warm-up=2", "--seed=-1", "--threads=-1", "--max-memory=-1"}) {
    refused({"operator", "learn", missing, "--unrolled", "--output", output, flag}, kUsage,
            {flag.substr(0, flag.find('='))});
  }
  // Flags of operators are refused for flows, and the reverse.
  for (const std::string flag :
       {"--rows=64", "--method=untf", "--patch=8", "--samples=100", "--min-deviation=3", "--nu=9",
        "--kappa=2", "--max-iterations=3", "--steps=diminishing", "--noise-aware", "--zero-mean"}) {
    refused({"operator", "learn", missing, "--unrolled", "--output", output, flag}, kUsage,
            {flag.substr(0, flag.find('=')) + ": not with --unrolled"});
  }
  for (const std::string flag :
       {"--sigma=20", "--highest-sigma=40", "--filters=63", "--flow-steps=10", "--side=8", "--no-own-filters",
        "--no-tails", "--one-energy", "--iterations=2", "--crops=8", "--crop-side=72", "--learning-rate=0.1",
        "--warm-up=0.1"}) {
    refused({"operator", "learn", missing, "--rows", "64", "--output", path("o.npy"), flag}, kUsage,
            {flag.substr(0, flag.find('=')) + ": only with --unrolled"});
  }
  const std::string one = image("one.png");
  refused(small({one}, output, {"--highest-sigma", "20"}), kUsage, {"--highest-sigma: 20", "--sigma, 20"});
  refused({"operator", "learn", one, "--unrolled", "--output", output, "--crop-side", "23"}, kUsage,
          {"--crop-side: 23", "side 8"});
  refused({"operator", "learn", one, "--unrolled", "--output", output}, kUsage,
          {"--crop-side: crops of 72 × 72", "one.png", "24 × 24"});
  refused({"operator", "learn", one, "--unrolled"}, kUsage, {"--output"});
  refused({"operator", "learn", "--unrolled", "--output", output}, kUsage, {"DATA"});
}

TEST_F(OperatorLearnFlow, RefusesFilesThatCannotBe) {
  const std::string one = image("one.png"), output = path("flow.npz");
  refused(small({one}, path("flow.npy")), kUsage, {"--output", ".npz"});
  refused(small({one}, path("no/flow.npz")), kFailed, {"--output", "cannot write in"});
  std::filesystem::create_directory(path("taken.npz.checkpoint"));
  refused(small({one}, path("taken.npz")), kUsage, {"--output", "taken.npz.checkpoint", "directory"});
  refused(small({path("missing.png")}, output), kFailed, {"missing.png"});
  refused(small({write("text.npz", "hello")}, path("text.npz")), kUsage, {"would overwrite"});
  refused(small({write("text.png", "hello")}, output), kFailed, {"text.png"});
  refused(small({one}, output, {"--max-memory", "1kB"}), kFailed, {"--max-memory", "1000"});
  Matrix<float> broken(24, 24);
  broken(3, 4) = std::numeric_limits<float>::quiet_NaN();
  write_npy(path("nan.npy"), MatrixView<const float>(broken));
  refused(small({one, path("nan.npy")}, output), kFailed, {"nan.npy", "not finite"});
}

}  // namespace
}  // namespace parsimony::cli
