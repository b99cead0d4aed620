// run: texts in, vectors and classes out.
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "parsimony/core/npy.hpp"
#include "run/reference_weights.hpp"
#include "run/small_efficientnet.hpp"

namespace parsimony::cli::run_test {
namespace {

using Json = nlohmann::json;

class RunVerb : public Command {
 protected:
  std::string model(bool head = false) const {
    parsimony::run::write_small_network(path("m"), {}, "", head);
    std::string words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (char letter = 'a'; letter <= 'z'; ++letter) words += std::string(1, letter) + "\n";
    write("m/vocab.txt", words);
    return path("m");
  }
};

TEST_F(RunVerb, ShowsSimilaritiesAndWritesVectors) {
  const std::string folder = model();
  const std::string texts = write("texts", "a b\nc\r\na b\n");
  const Outcome shown = run({"run", folder, "--texts", texts, "--embed", path("v.npy")});
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.out.rfind("1.0000\ta b\n", 0), 0u) << shown.out;
  EXPECT_NE(shown.out.find("\tc\n1.0000\ta b\nbert of 2 layers of 24 values"), std::string::npos)
      << shown.out;
  const Matrix<float> vectors = read_npy_matrix(path("v.npy"));
  ASSERT_EQ(vectors.rows(), 3);
  const Json json = Json::parse(run({"run", folder, "--text", "c", "--text", "a b", "--json"}).out);
  ASSERT_EQ(json["results"].size(), 2u);
  EXPECT_EQ(json["results"][0]["text"], "c");
  EXPECT_EQ(json["results"][0]["tokens"], 3);
  for (std::int64_t j = 0; j < vectors.cols(); ++j) {
    EXPECT_NEAR(json["results"][0]["vector"][j].get<float>(), vectors(1, j), 1e-6);
  }
  const Json pairs =
      Json::parse(run({"run", folder, "--pairs", write("pairs", "c\ta b\nz\tz\n"), "--json"}).out);
  EXPECT_NEAR(pairs["results"][0]["similarity"].get<float>(), json["results"][1]["similarity"].get<float>(),
              1e-6);
  EXPECT_NEAR(pairs["results"][1]["similarity"].get<float>(), 1, 1e-6);
}

TEST_F(RunVerb, ShowsClasses) {
  const std::string folder = model(true);
  const Outcome shown = run({"run", folder + "/model.safetensors", "--text", "a b"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  const Json json = Json::parse(run({"run", folder, "--text", "a b", "--json"}).out);
  const Json& classes = json["results"][0]["probabilities"];
  ASSERT_EQ(classes.size(), 3u);
  std::string best = "0";
  for (const char* name : {"1", "2"}) {
    if (classes[name] > classes[best]) best = name;
  }
  EXPECT_EQ(shown.out.rfind(best + "\t", 0), 0u) << shown.out;
}

TEST_F(RunVerb, AnswersMistakesInOneLine) {
  const std::string folder = model();
  expect_one_error(run({"run", folder}), kUsage, {"--text, --texts, --pairs"});
  expect_one_error(run({"run", folder, "--text", "a", "--texts", "b"}), kUsage, {"only one"});
  expect_one_error(run({"run", path("missing"), "--text", "a"}), kFailed, {path("missing")});
  expect_one_error(run({"run", folder, "--text", "a", "--result", "classes"}), kUsage,
                   {"--result", "classification head"});
  expect_one_error(run({"run", folder, "--pairs", write("pairs", "a\tb\nc\n")}), kFailed,
                   {"line 2", "one tab"});
  expect_one_error(run({"run", folder, "--texts", write("empty", "")}), kFailed, {"is empty"});
  expect_one_error(run({"run", folder, "--text", "a", "--embed", path("no/such/v.npy")}), kFailed,
                   {path("no/such")});
  const std::string bytes = read_text(path("m/model.safetensors"));
  write("m/model.safetensors", bytes.substr(0, bytes.size() / 2));
  expect_one_error(run({"run", folder, "--text", "a"}), kFailed, {"model.safetensors"});
  write("m/model.safetensors", bytes);
  write("m/config.json", "{");
  expect_one_error(run({"run", folder, "--text", "a"}), kFailed, {"config.json", "JSON object"});
}

TEST_F(RunVerb, ShowsTheClassesOfPictures) {
  parsimony::run::write_efficientnet(path("m.safetensors"), data::EfficientNetVariant::lite0, 7);
  std::string picture = "P6 48 40 255\n";
  for (int i = 0; i < 3 * 48 * 40; ++i) picture += static_cast<char>(i * 7 % 251);
  const std::string file = write("a.ppm", picture);
  const Outcome shown = run({"run", path("m.safetensors"), "--image", file, "--side", "32"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.out.rfind("a.ppm\n  0.", 0), 0u) << shown.out;
  EXPECT_NE(shown.out.find("efficientnet lite0 with same padding"), std::string::npos) << shown.out;
  const Json json =
      Json::parse(run({"run", path("m.safetensors"), "--image", file, "--side", "32", "--json"}).out);
  EXPECT_EQ(json["network"]["variant"], "lite0");
  ASSERT_EQ(json["results"][0]["classes"].size(), 5u);
  EXPECT_EQ(json["results"][0]["picture"], "a.ppm");
  EXPECT_EQ(run({"run", path("m.safetensors"), "--image", file, "--text", "a"}).code, 2);
  EXPECT_EQ(run({"run", path("m.safetensors"), "--image", path("missing")}).code, 1);
}

TEST_F(RunVerb, ExportWritesOnnx) {
  const std::string folder = model();
  const Outcome made = run({"export", folder, "--onnx", path("m.onnx"), "--json"});
  ASSERT_EQ(made.code, 0) << made.err;
  const Json report = Json::parse(made.out);
  EXPECT_EQ(report["figures"]["bytes"], std::filesystem::file_size(path("m.onnx")));
  EXPECT_EQ(report["figures"]["weights"], 2 * 6 + 3);  // linear layers and embeddings
  expect_one_error(run({"export", folder}), kUsage, {"--onnx"});
  expect_one_error(run({"run", folder, "--generate", "3"}), kUsage, {"--text"});
  expect_one_error(run({"run", folder, "--text", "a", "--generate", "3", "--heads", "2"}), kFailed,
                   {"'embedding.weight'"});
  expect_one_error(run({"export", path("missing"), "--onnx", path("m.onnx")}), kFailed, {path("missing")});
  std::filesystem::remove(path("m/config.json"));
  expect_one_error(run({"export", folder, "--onnx", path("n.onnx")}), kFailed, {"config.json"});
  EXPECT_FALSE(std::filesystem::exists(path("n.onnx")));
}

}  // namespace
}  // namespace parsimony::cli::run_test
