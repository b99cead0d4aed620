// quantize, inspect, dequantize: their files, output and errors.
#include <sys/resource.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/quant/compact_file.hpp"

namespace parsimony::cli {
namespace {

using Json = nlohmann::json;

class Quantize : public Command {
 protected:
  std::string model() const {
    std::vector<float> conv(32 * 16 * 9), fc(10 * 128), bias(10);
    RandomStream(1, "conv").fill_normal(conv, 0, 0.05f);
    RandomStream(1, "fc").fill_normal(fc, 0, 0.05f);
    const auto bytes = [](const std::vector<float>& values) {
      return std::span(reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float));
    };
    write_safetensors(path("model.safetensors"),
                      std::vector<TensorView>{{{"conv.weight", DType::float32, {32, 16, 3, 3}}, bytes(conv)},
                                              {{"fc.weight", DType::float32, {10, 128}}, bytes(fc)},
                                              {{"fc.bias", DType::float32, {10}}, bytes(bias)}});
    return path("model.safetensors");
  }
  Outcome quantize(std::vector<std::string> more) const {
    more.insert(more.begin(), {"quantize", model(), "--output", path("small.safetensors")});
    return run(more);
  }
  std::int64_t size(const std::string& name) const {
    return static_cast<std::int64_t>(std::filesystem::file_size(path(name)));
  }
};

TEST_F(Quantize, TheDryRunSaysTheSizeOfTheFileToTheByte) {
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--scheme", "int8"},
        {"--scheme", "int3", "--half"},
        {"--scheme", "int3", "--deflate-header"},
        {"--scheme", "pq"},
        {"--scheme", "pq", "--block-size", "4", "--layout", "input-channels", "--codebook", "int8"},
        {"--budget", "3kB"}}) {
    std::vector<std::string> dry = flags;
    dry.insert(dry.end(), {"--dry-run", "--json"});
    const Outcome planned = quantize(dry);
    ASSERT_EQ(planned.code, 0) << planned.err;
    EXPECT_FALSE(std::filesystem::exists(path("small.safetensors")));
    const Outcome done = quantize(flags);
    ASSERT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(Json::parse(planned.out)["output"]["bytes"], size("small.safetensors"));
    EXPECT_NE(done.out.find("left alone: 'fc.bias': one dimension"), std::string::npos) << done.out;
    if (flags[0] == "--budget") {
      EXPECT_LE(size("small.safetensors"), 3000);
    }
    std::filesystem::remove(path("small.safetensors"));
  }
}

TEST_F(Quantize, DequantizedItIsTheModelUpToTheErrorOfTheCodes) {
  ASSERT_EQ(quantize({"--scheme", "int8", "--quiet"}).code, 0);
  for (const char* verb : {"dequantize", "decompress"}) {  // the present and the earlier name
    std::filesystem::remove(path("floats.safetensors"));
    const Outcome outcome =
        run({verb, path("small.safetensors"), "-o", path("floats.safetensors"), "--quiet"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out + outcome.err, "");
  }
  const SafetensorsFile before(path("model.safetensors")), after(path("floats.safetensors"));
  ASSERT_EQ(after.tensors().size(), 3u);
  for (const TensorView& tensor : before.tensors()) {
    const std::vector<float> a = float32_values(tensor), b = float32_values(after.at(tensor.name));
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      // Half a step of a range of at most 0.6, and what clipping adds.
      ASSERT_NEAR(a[i], b[i], tensor.shape.size() > 1 ? 4e-3 : 0);
    }
  }
}

TEST_F(Quantize, InspectShowsBothKinds) {
  ASSERT_EQ(quantize({"--scheme", "pq", "--seed", "3", "--threads", "2"}).code, 0);
  const Outcome plain = run({"inspect", path("model.safetensors")});
  EXPECT_NE(plain.out.find("32x16x3x3"), std::string::npos);
  EXPECT_NE(plain.out.find("3 tensors, " + std::to_string(size("model.safetensors")) + " bytes"),
            std::string::npos)
      << plain.out;
  const Outcome text = run({"inspect", path("small.safetensors")});
  EXPECT_NE(text.out.find("pq of 9, 128 centroids"), std::string::npos) << text.out;
  const Json json = Json::parse(run({"inspect", path("small.safetensors"), "--json"}).out);
  EXPECT_EQ(json["bytes"], size("small.safetensors"));
  EXPECT_EQ(json["compact"]["model_bytes"], size("model.safetensors"));
  std::int64_t tensors = json["header_bytes"];
  for (const Json& tensor : json["tensors"]) tensors += tensor["bytes"].get<std::int64_t>();
  EXPECT_EQ(tensors, size("small.safetensors"));
}

// A file of a network that hardly has values to quantize is larger than the network.
TEST_F(Quantize, SizesAreComparedInTheRightDirection) {
  const Outcome smaller = quantize({"--scheme", "int8"});
  ASSERT_EQ(smaller.code, 0) << smaller.err;
  for (const std::string& said : {smaller.out, run({"inspect", path("small.safetensors")}).out}) {
    EXPECT_NE(said.find(" times fewer than the model's "), std::string::npos) << said;
    EXPECT_NE(said.find("1 other tensor: 40 bytes of 40"), std::string::npos) << said;
  }
  std::vector<float> one(64, 1), two(4, 1);
  const auto bytes = [](const std::vector<float>& values) {
    return std::span(reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float));
  };
  write_safetensors(path("tiny.safetensors"),
                    std::vector<TensorView>{{{"a.weight", DType::float32, {8, 8}}, bytes(one)},
                                            {{"a.bias", DType::float32, {4}}, bytes(two)}});
  const Outcome made =
      run({"quantize", path("tiny.safetensors"), "--scheme", "int8", "--output", path("large.safetensors")});
  ASSERT_EQ(made.code, 0) << made.err;
  ASSERT_GT(size("large.safetensors"), size("tiny.safetensors"));
  for (const std::string& said : {made.out, run({"inspect", path("large.safetensors")}).out}) {
    EXPECT_NE(said.find(" times more than the model's "), std::string::npos) << said;
    EXPECT_EQ(said.find("fewer"), std::string::npos) << said;
  }
}

TEST_F(Quantize, StrictNamesWhatWouldBeLeftAlone) {
  const Outcome passed = quantize({"--scheme", "int8", "--strict"});
  EXPECT_EQ(passed.code, 0) << passed.err;
  std::filesystem::remove(path("small.safetensors"));
  std::vector<float> tiny(4, 1);
  write_safetensors(path("tiny"), std::vector<TensorView>{
                                      {{"t.weight", DType::float32, {2, 2}},
                                       std::span(reinterpret_cast<const std::uint8_t*>(tiny.data()), 16)}});
  expect_one_error(
      run({"quantize", path("tiny"), "--scheme", "int8", "--strict", "--output", path("small.safetensors")}),
      kFailed, {"--strict", "'t.weight'", "too small"});
  EXPECT_FALSE(std::filesystem::exists(path("small.safetensors")));
  EXPECT_EQ(run({"quantize", path("tiny"), "--scheme", "int8", "--strict", "--exclude", "t", "--output",
                 path("small.safetensors")})
                .code,
            0);
}

TEST_F(Quantize, WrongFlagsAreUsageErrors) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{"--scheme", "int9"}, "--scheme"},
      {{"--scheme", "int8", "--budget", "3kB"}, "--scheme: int8 leaves a budget nothing"},
      {{"--budget", "0"}, "--budget"},
      {{"--budget", "much"}, "--budget"},
      {{"--budget", "100"}, "--budget: 100 bytes; the least"},
      {{"--budget", "3kB", "--block-size", "8"}, "--block-size"},
      {{"--scheme", "int8", "--block-size", "8"}, "--block-size"},
      {{"--scheme", "pq", "--block-size", "-1"}, "--block-size"},
      {{"--scheme", "pq", "--centroids", "0"}, "--centroids"},
      {{"--scheme", "pq", "--centroids", "65537"}, "--centroids"},
      {{"--scheme", "pq", "--layout", "columns"}, "--layout"},
      {{"--scheme", "int8", "--layers", "("}, "--layers"},
      {{"--scheme", "int8", "--exclude", "[a"}, "--exclude"},
      {{"--scheme", "int8", "--seed", "-1"}, "--seed"},
      {{"--scheme", "int8", "--threads", "-1"}, "--threads"},
      {{"--schem", "int8"}, "did you mean --scheme?"}};
  for (const auto& [flags, piece] : wrong) {
    SCOPED_TRACE(piece);
    expect_one_error(quantize(flags), kUsage, {piece});
    EXPECT_EQ(files(), (std::vector<std::string>{"model.safetensors"}));
  }
  expect_one_error(run({"quantize", model(), "--scheme", "int8"}), kUsage, {"--output"});
  expect_one_error(run({"quantize", model(), "--scheme", "int8", "--output", model()}), kUsage,
                   {"overwrite"});
  expect_one_error(run({"quantize", model(), "--scheme", "int8", "--output", path("a.gz")}), kUsage,
                   {"--output"});
  expect_one_error(run({"dequantize", model(), "--output", model()}), kUsage, {"overwrite"});
  expect_one_error(run({"dequantize", model()}), kUsage, {"--output"});
  expect_one_error(run({"inspect"}), kUsage, {"FILE"});
}

TEST_F(Quantize, DefaultsCanBeTyped) {
  ASSERT_EQ(quantize({}).code, 0);
  const std::string standard = read_text(path("small.safetensors"));
  const std::vector<std::string> typed{
      "--scheme",    "auto", "--budget",         "none", "--block-size", "auto",
      "--centroids", "256",  "--layout",         "row",  "--codebook",   "float16",
      "--range",     "mse",  "--max-iterations", "20",   "--seed",       "0"};
  const Outcome outcome = quantize(typed);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(read_text(path("small.safetensors")), standard);
  ASSERT_EQ(quantize({"--scheme", "int8"}).code, 0);  // auto without a budget
  EXPECT_EQ(read_text(path("small.safetensors")), standard);
}

TEST_F(Quantize, EarlierNamesOfFlagsAreUnderstood) {
  ASSERT_EQ(quantize({"--scheme", "pq", "--block-size", "4", "--max-iterations", "3"}).code, 0);
  const std::string present = read_text(path("small.safetensors"));
  ASSERT_EQ(quantize({"--scheme", "pq", "--block", "4", "--iterations", "3"}).code, 0);
  EXPECT_EQ(read_text(path("small.safetensors")), present);
}

TEST_F(Quantize, SchemesOfEveryWidthTakeAsManyBits) {
  std::int64_t last = 0;
  for (int bits = 2; bits <= 8; ++bits) {
    const Outcome outcome = quantize({"--scheme", "int" + std::to_string(bits)});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    if (last > 0) {
      // 5888 codes of a bit more; the header changes by a few bytes.
      EXPECT_NEAR(static_cast<double>(size("small.safetensors") - last), 5888 / 8, 16);
    }
    last = size("small.safetensors");
  }
}

TEST_F(Quantize, BrokenFilesFailAndLeaveNothing) {
  const std::string whole = read_text(model());
  const auto refused = [&](std::vector<std::string> arguments, const std::vector<std::string>& parts) {
    if (arguments[0] != "inspect") arguments.insert(arguments.end(), {"--output", path("out")});
    expect_one_error(run(arguments), kFailed, parts);
    EXPECT_FALSE(std::filesystem::exists(path("out")));
  };
  const std::string broken = write("broken.safetensors", whole.substr(0, whole.size() - 1));
  refused({"quantize", broken, "--scheme", "int8"}, {broken, "tensor '"});
  refused({"dequantize", broken}, {broken, "tensor '"});
  refused({"inspect", broken}, {broken, "tensor '"});
  refused({"inspect", path("missing")}, {path("missing")});
  refused({"dequantize", model()}, {"is not a compact file"});
  refused({"quantize", model(), "--scheme", "int8", "--calibration", broken}, {broken});
  refused({"quantize", model(), "--scheme", "int8", "--calibration", model()}, {"input_second_moment"});
  ASSERT_EQ(quantize({"--scheme", "int4"}).code, 0);
  refused({"quantize", path("small.safetensors"), "--scheme", "int8"}, {"compact file already"});
  std::string flipped = read_text(path("small.safetensors"));
  flipped.replace(flipped.find("\\\"bits\\\":4"), 10, "\\\"bits\\\":5");
  refused({"dequantize", write("flipped", flipped)}, {"flipped", "'conv.weight'", "5 bits"});
}

TEST_F(Quantize, StrictIsAboutFloatsThatNoFilterKeepsOut) {
  EXPECT_EQ(quantize({"--scheme", "int8", "--strict", "--layers", "^conv"}).code, 0);
  const std::vector<std::uint8_t> zeros(800);
  write_safetensors(path("ids"), std::vector<TensorView>{{{"ids.weight", DType::int64, {10, 10}}, zeros},
                                                         {{"mask.weight", DType::boolean, {10, 80}}, zeros}});
  EXPECT_EQ(run({"quantize", path("ids"), "--scheme", "int8", "--strict", "--dry-run"}).code, 0);
}

TEST_F(Quantize, ANameThatCodesWouldHaveFailsWithTheFlagThatHelps) {
  const std::vector<std::uint8_t> ones(64 * 64 * 4, 1);
  write_safetensors(path("twice"),
                    std::vector<TensorView>{{{"a.weight", DType::float32, {64, 64}}, ones},
                                            {{"a.weight_scale", DType::uint8, {64 * 64 * 4}}, ones}});
  const std::vector<std::string> dry{"quantize", path("twice"), "--scheme", "int8", "--dry-run"};
  expect_one_error(run(dry), kFailed,
                   {path("twice"), "'a.weight_scale'", "the scale of 'a.weight'", "--exclude"});
  std::vector<std::string> without = dry;
  without.insert(without.end(), {"--exclude", "^a.weight$"});
  EXPECT_EQ(run(without).code, 0);
}

TEST_F(Quantize, ShowsSmallErrorsAndALineForAllOfOneReason) {
  std::vector<float> values(64 * 64);
  RandomStream(1, "values").fill_normal(values, 0, 0.05f);
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float));
  std::vector<TensorView> tensors{{{"a.weight", DType::float32, {64, 64}}, bytes},
                                  {{"table", DType::float32, {32, 64}}, bytes.first(32 * 64 * 4)}};
  for (int i = 10; i < 50; ++i) {
    tensors.push_back({{"norm" + std::to_string(i), DType::float32, {4}}, bytes.subspan(16 * i, 16)});
  }
  write_safetensors(path("norms"), tensors);
  const std::vector<std::string> arguments{"quantize", path("norms"), "--scheme",
                                           "int8",     "--output",    path("small.safetensors")};
  const Outcome done = run(arguments);
  EXPECT_NE(done.out.find("left alone: 40 tensors, 'norm10' first: one dimension\n"), std::string::npos)
      << done.out;
  EXPECT_NE(done.out.find("left alone: 'table': its name"), std::string::npos) << done.out;
  EXPECT_EQ(done.out.find("norm11"), std::string::npos);
  std::vector<std::string> json = arguments;
  json.push_back("--json");
  const Json root = Json::parse(run(json).out);
  EXPECT_EQ(root["left_alone"].size(), 41u);
  // The error that the line of the weight ends with has three digits of what JSON says.
  const double error = root["compact"]["weights"][0]["relative_mse"];
  const std::string line = done.out.substr(done.out.find("a.weight"));
  const double shown = std::stod(line.substr(line.rfind(' ', line.find('\n')) + 1));
  EXPECT_GT(error, 0);
  EXPECT_NEAR(shown, error, 0.006 * error);
}

TEST_F(Quantize, InspectCountsEveryByteOfWeightsNamedLikeTheirCodebook) {
  auto codebook = std::make_shared<quant::Codebook>();
  codebook->centroids = Matrix<float>(4, 2);
  quant::CompactModel model;
  for (const std::string name : {"layer", "layer2"}) {
    quant::QuantizedTensor weight;
    weight.shape = {16, 8};
    weight.scheme = quant::Scheme::product;
    weight.bits = 2;
    weight.codebook = codebook;
    weight.packed = std::vector<std::uint8_t>(16);
    model.recipe.weights.push_back(quant::recipe_of(name, weight));
    model.recipe.weights.back().codebook = "layer";
    model.weights.push_back(std::move(weight));
  }
  quant::write_compact_file(path("shared"), model);
  const Json json = Json::parse(run({"inspect", path("shared"), "--json"}).out);
  std::int64_t bytes = json["header_bytes"];
  for (const Json& weight : json["compact"]["weights"]) bytes += weight["bytes"].get<std::int64_t>();
  EXPECT_EQ(bytes, size("shared"));
}

#if !defined(PARSIMONY_SANITIZED)  // sanitizers need terabytes of addresses
TEST_F(Quantize, OutOfMemoryNamesNoFlagThatTheVerbDoesNotHave) {
  // Holes of a file, which is mapped, and twice as much as floats: more than the limit of addresses leaves.
  constexpr std::int64_t kRows = 300000, kBytes = kRows * 1000 * 2;
  std::string header = "{\"a.weight\":{\"dtype\":\"F16\",\"shape\":[" + std::to_string(kRows) +
                       ",1000],\"data_offsets\":[0," + std::to_string(kBytes) + "]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = header.size();
  write("holes", std::string(reinterpret_cast<const char*>(&length), sizeof length) + header);
  std::filesystem::resize_file(path("holes"), sizeof length + length + kBytes);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  rlimit low = before;
  low.rlim_cur = std::uint64_t{3} << 29;
  ASSERT_EQ(setrlimit(RLIMIT_AS, &low), 0);
  const pid_t process = start({"quantize", path("holes"), "--scheme", "int8", "--dry-run", "--threads", "1"});
  setrlimit(RLIMIT_AS, &before);
  const Outcome outcome = finish(process);
  expect_one_error(outcome, kFailed, {"quantizing needs about", "of the address space (ulimit -v)"});
  EXPECT_EQ(outcome.err.find("--max-memory"), std::string::npos) << outcome.err;
}
#endif

}  // namespace
}  // namespace parsimony::cli
