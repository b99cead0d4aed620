// parsimony train and evaluate: refusals before anything is read, and a run from images to weights.
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#ifdef PARSIMONY_TRAIN
#include "core/files/zip.hpp"
#include "data/jpeg_file.hpp"
#include "train/free_port.hpp"
#endif

namespace parsimony::cli {
namespace {

class Train : public Command {};

TEST_F(Train, UsageIsCheckedByTheCommandItself) {
  const std::string recipe = write("r.json", "{}");
  expect_one_error(run({"train"}), kUsage, {"RECIPE"});
  expect_one_error(run({"train", recipe, "--outputs", "x"}), kUsage, {"--outputs", "did you mean --output?"});
  expect_one_error(run({"train", recipe, "--threads", "many"}), kUsage, {"--threads"});
  expect_one_error(run({"train", path("missing.json")}), kFailed, {"missing.json"});
  expect_one_error(run({"evaluate", recipe}), kUsage, {"RECIPE"});
  expect_one_error(run({"evaluate", path("missing.safetensors"), recipe}), kFailed, {"missing.safetensors"});
  expect_one_error(run({"evaluate", recipe, path("missing.json")}), kFailed, {"missing.json"});
  expect_one_error(run({"quantize", recipe, "--pictures", "9", "-o", path("s")}), kUsage,
                   {"--pictures", "--images"});
  for (const char* verb : {"train", "evaluate"}) {
    const Outcome help = run({verb, "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_NE(help.out.find("Examples:"), std::string::npos);
  }
  EXPECT_EQ(files(), (std::vector<std::string>{"r.json"}));
}

#ifdef PARSIMONY_TRAIN

// Two classes by their colour, the halves of which differ.
std::string archive() {
  std::vector<std::pair<std::string, std::string>> members;
  for (const char* split : {"train", "test"}) {
    for (int i = 0; i < 16; ++i) {
      const auto level = static_cast<std::uint8_t>(40 + 5 * i);
      const data::Color red{220, level, 30}, blue{30, level, 220};
      const std::string name = std::to_string(i) + ".jpg";
      members.emplace_back(std::string(split) + "/blue/" + name, data::jpeg(8, 8, blue, {level, 0, 200}));
      members.emplace_back(std::string(split) + "/red/" + name, data::jpeg(8, 8, red, {200, 0, level}));
    }
  }
  return make_zip(members);
}

TEST_F(Train, FromImagesToWeightsThatEvaluateAlike) {
  write("images.zip", archive());
  const std::string recipe = write("small.json", R"({
    "task": {"kind": "images", "archive": "images.zip", "depth": 8, "crop_padding": 1},
    "training": {"steps": 12, "batch_size": 16, "learning_rate": 0.05, "recalibration_batches": 2},
    "noise": {"function": "integer", "bits": 4, "rate": 0.5},
    "seed": 3})");
  const Outcome trained = run({"train", recipe, "--json", "--threads", "2", "--quiet"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(trained.err, "");
  const auto report = nlohmann::json::parse(trained.out);
  EXPECT_EQ(report["iterations"], 12);
  EXPECT_EQ(report["options"]["training.batch_size"], 16);
  EXPECT_EQ(report["options"]["noise.seed"], 3);
  EXPECT_EQ(report["figures"]["accuracy"], 1) << "of two colours";
  EXPECT_EQ(files(), (std::vector<std::string>{"images.zip", "small", "small.json"}));
  const std::string model = path("small/model.safetensors");
  EXPECT_TRUE(std::filesystem::exists(model));
  EXPECT_TRUE(std::filesystem::exists(path("small/report.json")));
  EXPECT_FALSE(std::filesystem::exists(path("small/train.checkpoint")));

  const Outcome judged = run({"evaluate", model, recipe, "--json", "--threads", "2"});
  ASSERT_EQ(judged.code, 0) << judged.err;
  const auto figures = nlohmann::json::parse(judged.out)["figures"];
  EXPECT_EQ(figures["accuracy"], report["figures"]["accuracy"]);
  EXPECT_EQ(figures["loss"], report["figures"]["loss"]);

  ASSERT_EQ(run({"quantize", model, "--scheme", "int8", "--output", path("small.safetensors")}).code, 0);
  const Outcome compact = run({"evaluate", path("small.safetensors"), recipe});
  ASSERT_EQ(compact.code, 0) << compact.err;
  EXPECT_NE(compact.out.find("accuracy          1\n"), std::string::npos) << compact.out;
  expect_one_error(run({"evaluate", path("small.safetensors"), recipe, "--engine", "run"}), kFailed,
                   {"small.json: task.network: is resnet", "--engine must be torch"});

  const std::vector<std::string> by_pictures{"quantize",
                                             model,
                                             "--scheme",
                                             "int3",
                                             "--images",
                                             path("images.zip"),
                                             "--network",
                                             "resnet",
                                             "--depth",
                                             "8",
                                             "--side",
                                             "8",
                                             "--no-weigh-inputs",
                                             "-o",
                                             path("corrected.safetensors")};
  std::vector<std::string> words = by_pictures;
  words.push_back("--json");
  const Outcome made = run(words);
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(nlohmann::json::parse(made.out)["figures"]["pictures"], 64) << made.out;
  EXPECT_EQ(run({"evaluate", path("corrected.safetensors"), recipe}).code, 0);
}

// The reported quality of a quantized network is the quality of its file.
TEST_F(Train, ProductCodesBecomeACompactFile) {
  write("images.zip", archive());
  const std::string recipe = write("codes.json", R"({
    "task": {"kind": "images", "archive": "images.zip", "depth": 8, "crop_padding": 1},
    "training": {"steps": 6, "batch_size": 16, "learning_rate": 0.05, "recalibration_batches": 2},
    "teacher": {"share": 1},
    "ipq": {"stages": ["layer.*"], "shared_codebook": true, "latent_weights": true, "codebook": "int8",
            "centroids": 16, "steps": 4, "reassign_steps": 2}})");
  const Outcome trained = run({"train", recipe, "--json", "--threads", "2", "--quiet"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  const auto report = nlohmann::json::parse(trained.out);
  EXPECT_EQ(report["iterations"], 10);
  const std::string model = path("codes/model.compact.safetensors");
  ASSERT_TRUE(std::filesystem::exists(model));
  EXPECT_FALSE(std::filesystem::exists(path("codes/model.safetensors")));
  EXPECT_NE(run({"inspect", model}).out.find("layer1"), std::string::npos);

  const Outcome judged = run({"evaluate", model, recipe, "--json", "--threads", "2"});
  ASSERT_EQ(judged.code, 0) << judged.err;
  EXPECT_EQ(nlohmann::json::parse(judged.out)["figures"]["loss"], report["figures"]["loss"]);
}

TEST_F(Train, TextBecomesALanguageModel) {
  std::string text;
  for (int line = 0; line < 4000; ++line) text += "abc\n";
  write("text.txt", text);
  const std::string recipe = write("language.json", R"({
    "task": {"kind": "language", "text": "text.txt", "layers": 1, "width": 16, "heads": 2, "feed_forward": 16,
             "context": 8},
    "training": {"steps": 150, "batch_size": 16, "optimizer": "adamw", "learning_rate": 0.01},
    "noise": {"function": "proxy", "rate": 0.05}})");
  const Outcome trained = run({"train", recipe, "--json", "--threads", "1", "--quiet"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  const auto report = nlohmann::json::parse(trained.out);
  // Each letter says which follows: 1 but for what noise in training leaves.
  EXPECT_LT(report["figures"]["perplexity"], 1.2);
  const Outcome judged =
      run({"evaluate", path("language/model.safetensors"), recipe, "--json", "--threads", "1"});
  ASSERT_EQ(judged.code, 0) << judged.err;
  const auto by_torch = nlohmann::json::parse(judged.out);
  EXPECT_EQ(by_torch["figures"], report["figures"]);
  EXPECT_EQ(by_torch["options"], (nlohmann::json{{"engine", "torch"}, {"precision", "exact"}}));

  const std::vector<std::string> by_run{
      "evaluate", path("language/model.safetensors"), recipe, "--engine", "run", "--precision", "exact"};
  std::vector<std::string> as_json = by_run;
  as_json.emplace_back("--json");
  const Outcome found = run(as_json);
  ASSERT_EQ(found.code, 0) << found.err;
  const auto root = nlohmann::json::parse(found.out);
  EXPECT_EQ(root["options"], (nlohmann::json{{"engine", "run"}, {"precision", "exact"}}));
  const double perplexity = report["figures"]["perplexity"];
  EXPECT_NEAR(root["figures"]["perplexity"], perplexity, 1e-4 * perplexity);
  EXPECT_EQ(root["recipe"], recipe);
  EXPECT_EQ(root["model"]["path"], path("language/model.safetensors"));
  const Outcome shown = run(by_run);
  EXPECT_NE(shown.out.find("engine            run, exact\n"), std::string::npos) << shown.out;
  expect_one_error(run({"evaluate", path("language/model.safetensors"), recipe, "--precision", "integers8"}),
                   kUsage, {"--precision", "--engine must be run"});

  write("wrong.json", R"({"task": {"kind": "language", "text": "text.txt", "vocabulary": 9}})");
  expect_one_error(run({"train", path("wrong.json")}), kFailed, {"wrong.json", "task.vocabulary"});
}

// A checkpoint that takes long: a pipe that nobody reads stands at its place.
TEST_F(Train, CtrlCSaysThatTheCheckpointIsWrittenAndTheSecondEndsWithoutIt) {
  using namespace std::chrono_literals;
  write("images.zip", archive());
  const std::string recipe = write("long.json", R"({
    "task": {"kind": "images", "archive": "images.zip", "depth": 8, "crop_padding": 1},
    "training": {"steps": 1000000, "batch_size": 16, "learning_rate": 0.05, "report_steps": 1,
                 "checkpoint_steps": 0}})");
  for (const bool quiet : {false, true}) {
    SCOPED_TRACE(quiet ? "quiet" : "with notes");
    std::filesystem::remove_all(path("long"));
    std::vector<std::string> words{"train", recipe, "--threads", "1"};
    if (quiet) words.push_back("--quiet");
    const pid_t process = start(words);
    const auto wait_for = [&](const auto& holds) {
      for (int waits = 0; waits < 3000 && !holds(); ++waits) std::this_thread::sleep_for(10ms);
    };
    const auto said = [&](const std::string& part) {
      return read_text(path("stderr")).find(part) != std::string::npos;
    };
    wait_for([&] { return quiet ? std::filesystem::exists(path("long")) : said("step 2 of"); });
    if (quiet) std::this_thread::sleep_for(1s);  // past the look for an earlier checkpoint
    ASSERT_EQ(mkfifo(path("long/train.checkpoint").c_str(), 0600), 0);
    kill(process, SIGINT);
    const auto asked = std::chrono::steady_clock::now();
    const std::string line = "note: stopping: writing the checkpoint " + path("long/train.checkpoint") + " (";
    if (quiet) {
      std::this_thread::sleep_for(700ms);
      EXPECT_EQ(read_text(path("stderr")), "");
    } else {
      wait_for([&] { return said(line); });
      EXPECT_TRUE(said(line)) << read_text(path("stderr"));
      EXPECT_TRUE(said("B); Ctrl-C again ends without it\n")) << read_text(path("stderr"));
      std::this_thread::sleep_until(asked + 700ms);
    }
    kill(process, SIGINT);
    EXPECT_EQ(finish(process).code, kCancelled);
    std::filesystem::remove(path("long/train.checkpoint"));
    EXPECT_TRUE(std::filesystem::is_empty(path("long"))) << "nothing half written";
  }
}

TEST_F(Train, MistakesInARecipeAreOneLine) {
  const std::string recipe = write("r.json", R"({"task": {"kind": "images"}, "trainin": {}})");
  expect_one_error(run({"train", recipe}), kFailed, {"r.json", "trainin", "did you mean training?"});
  EXPECT_EQ(files(), (std::vector<std::string>{"r.json"}));
}

// Two processes as a shell starts them. The codes of process 0 and 1 are in `codes`.
class JointTrain : public Command {
 protected:
  struct Both {
    std::string codes, out, err;
  };
  Both train(const std::string& recipe, const std::string& more = "",
             const std::string& between = ":") const {
    const std::string call =
        places::command() + " train " + recipe + " --threads 1 " + more + " 2>>err >>out";
    const std::string script = "cd " + path("") +
                               " && rm -f out err && export WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=" +
                               std::to_string(train::free_port()) + "; RANK=0 " + call + " & a=$!; RANK=1 " +
                               call + " & b=$!; " + between + "; wait $a; a=$?; wait $b; echo $a $? >codes";
    EXPECT_EQ(std::system(("bash -c '" + script + "' 2>/dev/null").c_str()), 0);
    return {read_text(path("codes")), read_text(path("out")), read_text(path("err"))};
  }
  std::string recipe(const std::string& name, int steps) const {
    write("images.zip", archive());
    return write(name, R"({
      "task": {"kind": "images", "archive": "images.zip", "depth": 8, "crop_padding": 1},
      "training": {"steps": )" +
                           std::to_string(steps) +
                           R"(, "batch_size": 8, "learning_rate": 0.05, "checkpoint_steps": 2},
      "noise": {"function": "integer", "bits": 4, "rate": 0.5}})");
  }
};

#ifdef PARSIMONY_GLOO

TEST_F(JointTrain, HasOneReportAndOneMessage) {
  const Both good = train(recipe("small.json", 6), "--json --quiet");
  EXPECT_EQ(good.codes, "0 0\n") << good.err;
  EXPECT_EQ(good.err, "");
  const auto report = nlohmann::json::parse(good.out);  // one object, not two
  EXPECT_EQ(report["options"]["training.processes"], 2);
  EXPECT_TRUE(std::filesystem::exists(path("small/model.safetensors")));

  const Both bad = train(write("bad.json", "{}"));
  EXPECT_EQ(bad.codes, "1 1\n");
  EXPECT_EQ(std::count(bad.err.begin(), bad.err.end(), '\n'), 1) << bad.err;
  EXPECT_NE(bad.err.find("bad.json"), std::string::npos) << bad.err;
}

TEST_F(JointTrain, AKilledProcessEndsTheOtherWithOneMessage) {
  const std::string text = recipe("long.json", 100000);
  for (const char* victim : {"a", "b"}) {
    const Both both =
        train(text, "--quiet --restart",
              std::string("while [ ! -e long/train.checkpoint ]; do sleep 0.05; done; kill -9 $") + victim);
    EXPECT_EQ(both.codes, victim[0] == 'a' ? "137 1\n" : "1 137\n");
    EXPECT_EQ(std::count(both.err.begin(), both.err.end(), '\n'), 1) << both.err;
    EXPECT_NE(both.err.find("lost the connection"), std::string::npos) << both.err;
    std::filesystem::rename(path("long/train.checkpoint"), path("kept"));
    EXPECT_TRUE(std::filesystem::is_empty(path("long"))) << "nothing half written";
  }
}

#else

TEST_F(JointTrain, WithoutGlooSaysWhatIsMissing) {
  const Both both = train(recipe("small.json", 2));
  EXPECT_EQ(both.codes, "1 1\n");
  EXPECT_NE(both.err.find("libgloo-dev"), std::string::npos) << both.err;
}

#endif

#else

TEST_F(Train, SaysWhatIsMissingWithoutLibTorch) {
  const std::string recipe = write("r.json", "{}");
  expect_one_error(run({"train", recipe}), kFailed, {"train: needs parsimony-torch", "libtorch-dev"});
  expect_one_error(run({"evaluate", recipe, recipe}), kFailed, {"evaluate: needs parsimony-torch"});
}

#endif

}  // namespace
}  // namespace parsimony::cli
