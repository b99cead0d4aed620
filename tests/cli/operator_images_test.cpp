// operator denoise and operator inpaint: results, messages and refusals.
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "images/pictures.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/images/image_quality.hpp"
#include "parsimony/images/unrolled_flow.hpp"
#include "parsimony/operators/operator_file.hpp"

namespace parsimony::cli {
namespace {

using parsimony::testing::cosine_rows;
using parsimony::testing::made_image;
using parsimony::testing::with_noise;

class OperatorImages : public Command {
 protected:
  std::string image(const std::string& name, const Matrix<float>& values, int bits = 8) const {
    write_image(path(name), Image{{values}, bits, false});
    return path(name);
  }
  std::string noisy() const { return image("noisy.png", with_noise(made_image(48, 60), 15, 1)); }
  std::string clean() const { return image("clean.png", made_image(48, 60)); }
  std::string cosines() const {
    operators::write_operator(path("op.npy"), cosine_rows(5));
    return path("op.npy");
  }
};

TEST_F(OperatorImages, DenoiseTakesNoiseOffByEveryMethod) {
  const std::string in = noisy(), reference = clean(), op = cosines();
  const double before = images::psnr(read_image(in).channels[0], read_image(reference).channels[0]);
  for (const std::vector<std::string>& method :
       {std::vector<std::string>{},
        {"--operator", op},
        {"--method", "analysis", "--max-iterations", "8"},
        {"--method", "l1", "--operator", op, "--max-iterations", "20"}}) {
    std::vector<std::string> arguments{
        "operator",      "denoise",     in,        "--sigma", "15",     "--output",
        path("out.png"), "--reference", reference, "--json",  "--quiet"};
    arguments.insert(arguments.end(), method.begin(), method.end());
    const Outcome outcome = run(arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    const auto report = nlohmann::json::parse(outcome.out);
    const double after =
        images::psnr(read_image(path("out.png")).channels[0], read_image(reference).channels[0]);
    EXPECT_NEAR(report["quality"]["psnr"].get<double>(), after, 1e-9);
    EXPECT_GT(report["quality"]["ssim"].get<double>(), 0.5);
    EXPECT_EQ(report["sigma"][0], 15);
    EXPECT_GT(after, before + 3);
  }
}

TEST_F(OperatorImages, AnImageLikeItsReferenceHasAnInfiniteRatio) {
  const std::string in = image("constant.png", Matrix<float>(20, 20));
  const Outcome text =
      run({"operator", "denoise", in, "--output", path("out.png"), "--reference", in, "--quiet"});
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("PSNR     inf dB\n"), std::string::npos) << text.out;
  const Outcome json =
      run({"operator", "denoise", in, "--output", path("out.png"), "--reference", in, "--quiet", "--json"});
  EXPECT_TRUE(nlohmann::json::parse(json.out)["quality"]["psnr"].is_null()) << json.out;
}

TEST_F(OperatorImages, SigmaIsEstimatedAndSaid) {
  const Outcome outcome =
      run({"operator", "denoise", noisy(), "--output", path("out.pgm"), "--reference", clean(), "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.rfind("sigma    1", 0), 0u) << outcome.out;
  EXPECT_NE(outcome.out.find("PSNR "), std::string::npos);
  EXPECT_NE(outcome.out.find("SSIM "), std::string::npos);
}

TEST_F(OperatorImages, ACleanImageStaysAsItIs) {
  const std::string in = image("constant.png", Matrix<float>(20, 20));
  const Outcome outcome = run({"operator", "denoise", in, "--output", path("out.png"), "--quiet"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("no noise is found"), std::string::npos) << outcome.err;
  EXPECT_EQ(read_text(path("out.png")), read_text(in));
}

TEST_F(OperatorImages, ColoursBitsAndAlphaAreKept) {
  Image colors{{with_noise(made_image(30, 32), 10, 1), with_noise(made_image(30, 32), 10, 2),
                with_noise(made_image(30, 32), 10, 3), made_image(30, 32)},
               16,
               true};
  write_image(path("in.png"), colors);
  const Outcome outcome = run({"operator", "denoise", path("in.png"), "--sigma", "10", "--output",
                               path("out.png"), "--quiet", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["colors"].size(), 3u);
  const Image before = read_image(path("in.png")), after = read_image(path("out.png"));
  EXPECT_EQ(after.bits, 16);
  ASSERT_TRUE(after.alpha);
  EXPECT_TRUE(std::equal(before.channels[3].values().begin(), before.channels[3].values().end(),
                         after.channels[3].values().begin()));
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_GT(images::psnr(after.channels[c], made_image(30, 32)),
              images::psnr(before.channels[c], made_image(30, 32)) + 3);
  }
}

TEST_F(OperatorImages, FloatsAndSignals) {
  write_npy(path("in.npy"), with_noise(made_image(30, 40), 10, 1).view());
  Outcome outcome =
      run({"operator", "denoise", path("in.npy"), "--sigma", "10", "--output", path("out.npy"), "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(read_npy_matrix(path("out.npy")).cols(), 40);
  // Constants are cosparse under the cosines: noise on them goes.
  Matrix<float> constants(20, 25);
  for (float& value : constants.values()) value = 3;
  write_npy(path("signals.npy"), with_noise(constants, 0.1f, 2).view());
  outcome = run({"operator", "denoise", path("signals.npy"), "--signals", "--operator", cosines(), "--sigma",
                 "0.1", "--weight", "5", "--output", path("out.npy"), "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_GT(images::psnr(read_npy_matrix(path("out.npy")), constants),
            images::psnr(read_npy_matrix(path("signals.npy")), constants) + 10);
}

// Signals have any unit: the least sigma of images does not bound theirs.
TEST_F(OperatorImages, SignalsMayHaveATinyUnit) {
  Matrix<float> constants(20, 25);
  for (float& value : constants.values()) value = 3;
  Matrix<float> signals = with_noise(constants, 0.1f, 2);
  const auto found = [&](const std::string& sigma) {
    write_npy(path("signals.npy"), signals.view());
    const Outcome outcome = run({"operator", "denoise", path("signals.npy"), "--signals", "--operator",
                                 cosines(), "--sigma", sigma, "--output", path("out.npy"), "--quiet"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return read_npy_matrix(path("out.npy"));
  };
  const Matrix<float> expected = found("0.1");
  for (float& value : signals.values()) value *= 1e-9f;
  const Matrix<float> tiny = found("1e-10");
  for (std::int64_t i = 0; i < tiny.size(); ++i) {
    EXPECT_NEAR(1e9 * tiny.data()[i], expected.data()[i], 1e-4);
  }
}

// A 1-D array is one signal of any length: the rows of the operator are filters along it.
TEST_F(OperatorImages, ALineIsOneSignal) {
  Matrix<float> clean(700, 1);
  for (std::int64_t i = 0; i < clean.size(); ++i) clean.data()[i] = i / 90 % 2 == 0 ? 2.0f : 5.0f;
  const Matrix<float> noisy = with_noise(clean, 0.3f, 1);
  write_npy(path("line.npy"), std::span<const float>(noisy.values()));
  const std::vector<std::string> common{"operator", "denoise", path("line.npy"), "--operator",  cosines(),
                                        "--sigma",  "0.3",     "--output",       path("o.npy"), "--quiet"};
  const Outcome outcome = run(common);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Matrix<float> found = read_npy_matrix(path("o.npy"));
  ASSERT_EQ(found.rows(), 700);
  EXPECT_GT(images::psnr(found, clean), images::psnr(noisy, clean) + 7);
  std::filesystem::remove(path("o.npy"));
  const auto refused = [&](std::vector<std::string> more, const std::vector<std::string>& parts) {
    more.insert(more.begin(), {"operator", "denoise", path("line.npy")});
    expect_one_error(run(more), kUsage, parts);
  };
  refused({"--output", path("o.npy"), "--sigma", "1"}, {"--operator", "1-D signal"});
  refused({"--output", path("o.npy"), "--operator", cosines()}, {"--sigma"});
  refused({"--output", path("o.png"), "--operator", cosines(), "--sigma", "1"}, {"--output", ".npy"});
  refused({"--output", path("o.npy"), "--adapt", "--sigma", "1"},
          {"--adapt applies to images only", "1-D signal"});
  EXPECT_FALSE(std::filesystem::exists(path("o.npy")));
}

TEST_F(OperatorImages, StandardInputIsAnImage) {
  const std::string in = noisy();
  ASSERT_EQ(run({"operator", "denoise", in, "--sigma", "15", "--output", path("file.png"), "--quiet"}).code,
            0);
  const Outcome piped = finish(
      start({"operator", "denoise", "-", "--sigma", "15", "--output", path("pipe.png"), "--quiet"}, in));
  ASSERT_EQ(piped.code, 0) << piped.err;
  EXPECT_EQ(read_text(path("pipe.png")), read_text(path("file.png")));
}

TEST_F(OperatorImages, AdaptBlendsWhatIsLearnedOnTheImage) {
  const std::string in = noisy();
  const Outcome outcome = run({"operator", "denoise", in, "--adapt", "--sigma", "15", "--output",
                               path("out.png"), "--reference", clean(), "--json", "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto report = nlohmann::json::parse(outcome.out);
  EXPECT_GE(report["figures"]["share"].get<double>(), 0);
  EXPECT_LE(report["figures"]["share"].get<double>(), 1);
  EXPECT_GT(report["quality"]["psnr"].get<double>(), 28);
}

TEST_F(OperatorImages, InpaintFillsWhatIsBlackInTheMask) {
  Matrix<float> mask(48, 60), holes = made_image(48, 60);
  const RandomStream random(1, "test");
  for (std::int64_t i = 0; i < mask.size(); ++i) {
    mask.data()[i] = random.uniform(i) < 0.4 ? 0.0f : 255.0f;
    if (mask.data()[i] == 0) holes.data()[i] = 0;
  }
  const std::string in = image("in.png", holes), known = image("mask.png", mask);
  const Outcome outcome =
      run({"operator", "inpaint", in, "--mask", known, "--output", path("out.png"), "--operator", cosines(),
           "--max-iterations", "10", "--reference", clean(), "--json", "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_GT(nlohmann::json::parse(outcome.out)["quality"]["psnr"].get<double>(), 30);
}

TEST_F(OperatorImages, MasksMayMarkWhatIsMissing) {
  Matrix<float> mask(48, 60), holes = made_image(48, 60);
  for (std::int64_t i = 0; i < mask.size(); ++i) {
    mask.data()[i] = i * 7 % 5 == 0 ? 255.0f : 0.0f;
    if (mask.data()[i] == 255) holes.data()[i] = 0;
  }
  std::vector<std::string> arguments{
      "operator",      "inpaint", image("in.png", holes), "--mask", image("mask.png", mask),
      "--operator",    cosines(), "--max-iterations",     "5",      "--output",
      path("out.png"), "--quiet"};
  Outcome outcome = run(arguments);
  EXPECT_NE(outcome.err.find("wrong way round"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.out.rfind("missing  80 % of the pixels", 0), 0u) << outcome.out;
  arguments.insert(arguments.end(), {"--missing", "white"});
  outcome = run(arguments);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out.rfind("missing  20 % of the pixels", 0), 0u) << outcome.out;
}

TEST_F(OperatorImages, TagsAreCarriedOver) {
  Image image{{with_noise(made_image(40, 40), 9, 1)}, 8, false};
  image.tags.gamma = 100000;
  image.tags.exif = std::string("MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", 26);
  write_image(path("in.png"), image);
  ASSERT_EQ(run({"operator", "denoise", path("in.png"), "--output", path("out.png"), "--quiet"}).code, 0);
  const ImageTags tags = read_image(path("out.png")).tags;
  EXPECT_EQ(tags.gamma, 100000);
  EXPECT_EQ(tags.exif, image.tags.exif);
}

TEST_F(OperatorImages, SameBytesForAnyNumberOfThreads) {
  const std::string in = noisy();
  for (const char* method : {"flow", "analysis"}) {
    std::vector<std::string> bytes;
    for (const char* threads : {"1", "2", "3"}) {
      std::vector<std::string> arguments{"operator",  "denoise", in,         "--sigma",       "15",
                                         "--threads", threads,   "--output", path("out.png"), "--quiet",
                                         "--method",  method};
      ASSERT_EQ(run(arguments).code, 0);
      bytes.push_back(read_text(path("out.png")));
    }
    EXPECT_EQ(bytes[0], bytes[1]);
    EXPECT_EQ(bytes[0], bytes[2]);
  }
}

TEST_F(OperatorImages, EveryMistakeIsOneLineAndNothingIsWritten) {
  const std::string in = noisy(), op = cosines(), out = path("out.png");
  const auto denoise = [&](std::vector<std::string> more, int code, const std::vector<std::string>& parts,
                           const std::string& input) {
    std::vector<std::string> arguments{"operator", "denoise", input, "--output", out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    SCOPED_TRACE(parts.front());
    expect_one_error(run(arguments), code, parts);
    EXPECT_FALSE(std::filesystem::exists(out));
  };
  const auto refused = [&](std::vector<std::string> more, const std::vector<std::string>& parts) {
    denoise(std::move(more), kUsage, parts, in);
  };
  for (const char* flag :
       {"--sigma=0", "--sigma=-3", "--sigma=nan", "--sigma=much", "--method=magic", "--threads=-1",
        "--weight=-1", "--weight=0", "--nu=0", "--max-iterations=-1", "--tile=1e9"}) {
    refused({flag}, {std::string(flag).substr(0, std::string(flag).find('='))});
  }
  refused({"--method", "analysis", "--tile", "100"}, {"--tile: 100", "128"});
  refused({"--method", "flow", "--operator", op}, {"--operator", "--method flow", "analysis"});
  refused({"--weight", "1"}, {"--weight", "--method flow"});
  refused({"--adapt", "--operator", op}, {"--adapt", "--operator"});
  refused({"--adapt", "--method", "l1"}, {"--adapt", "--method l1"});
  refused({"--sigma", "1e-40"}, {"sigma: 1e-40 is out of range"});
  refused({"--sigma", "1e-25", "--method", "analysis"}, {"sigma: 1e-25 is out of range", "1e-06"});
  refused({"--method", "l1", "--nu", "9"}, {"--nu", "--method l1"});
  const std::string flow = path("flow.npz");
  images::save_unrolled_flow(flow, images::initial_unrolled_flow(3, 2, 3));
  refused({"--flow", flow, "--operator", op}, {"--flow", "--operator"});
  refused({"--flow", flow, "--method", "analysis"}, {"--flow", "--method analysis"});
  refused({"--flow", flow, "--method", "l1"}, {"--flow", "--method l1"});
  refused({"--flow", flow, "--nu", "9"}, {"--nu", "--method flow"});
  refused({"--flow", flow, "--signals", "--operator", op, "--sigma", "1"}, {"--flow", "--signals"});
  refused({"--flow="}, {"--flow"});
  denoise({"--flow", path("none.npz")}, kFailed, {"none.npz"}, in);
  denoise({"--flow", path("")}, kFailed, {"is a directory"}, in);
  denoise({"--flow", op, "--sigma", "9"}, kFailed, {"op.npy"}, in);
  const std::string archive = read_text(flow);
  denoise({"--flow", write("cut.npz", archive.substr(0, archive.size() / 2)), "--sigma", "9"}, kFailed,
          {"cut.npz"}, in);
  denoise({"--flow", write("text.npz", "hello"), "--sigma", "9"}, kFailed, {"text.npz"}, in);
  expect_one_error(run({"operator", "denoise", in, "--flow", flow, "--output", flow}), kUsage,
                   {"--output", "would overwrite"});
  EXPECT_EQ(read_text(flow), archive);
  refused({"--signals"}, {"--operator", "signals"});
  refused({"--signals", "--operator", op}, {"--signals", ".npy"});
  refused({"--signals", "--operator", op, "--sigma", "1", "--method", "l1"}, {"--method", "--signals"});
  refused({"--signals", "--operator", op, "--sigma", "1"}, {"--signals", ".npy"});
  denoise({}, kFailed, {"16 × 16"}, image("small.png", made_image(9, 9)));

  operators::write_operator(path("odd.npy"), Matrix<double>(cosine_rows(3)).view());
  Matrix<double> oblong(12, 15);
  for (double& value : oblong.values()) value = 1;
  operators::write_operator(path("oblong.npy"), oblong);
  refused({"--operator", path("oblong.npy"), "--sigma", "9"}, {"12 rows of 15 values", "square patches"});
  denoise({"--operator", path("none.npy")}, kFailed, {"none.npy"}, in);
  refused({"--sigma", "9", "--reference", image("other.png", made_image(20, 20))},
          {"--reference: 20 × 20 pixels for an image of 60 × 48"});

  const std::string whole = read_text(in);
  denoise({"--sigma", "9"}, kFailed, {"cut.png", "truncated PNG"},
          write("cut.png", whole.substr(0, whole.size() / 2)));
  denoise({"--sigma", "9"}, kFailed, {"text.png", "not an image that is known"}, write("text.png", "hello"));
  denoise({"--sigma", "9"}, kFailed, {"missing.png"}, path("missing.png"));
  Matrix<float> broken = made_image(20, 20);
  broken(1, 2) = std::numeric_limits<float>::quiet_NaN();
  write_npy(path("nan.npy"), broken.view());
  denoise({"--sigma", "9"}, kFailed, {"finite"}, path("nan.npy"));
  denoise({}, kFailed, {"finite"}, path("nan.npy"));

  denoise({"--max-memory", "100", "--sigma", "9"}, kFailed, {"--max-memory", "100"}, in);
  // The limit holds for the other files too: here the image is below it.
  const std::string tiny = image("tiny.png", made_image(6, 6));
  denoise({"--max-memory", "1kB", "--sigma", "9", "--operator", op}, kFailed, {"--max-memory", "1000"}, tiny);
  denoise({"--max-memory", "1kB", "--sigma", "9", "--flow", flow}, kFailed, {"--max-memory", "1000"}, tiny);
  expect_one_error(run({"operator", "inpaint", tiny, "--mask", tiny, "--operator", op, "--max-memory", "1kB",
                        "--output", out}),
                   kFailed, {"--max-memory", "1000"});
  write_npy(path("many.npy"), Matrix<float>(1000, 25).view());
  expect_one_error(run({"operator", "denoise", path("many.npy"), "--signals", "--operator", op, "--sigma",
                        "1", "--max-memory", "50kB", "--output", path("out.npy")}),
                   kFailed, {"--max-memory", "50000"});
  EXPECT_FALSE(std::filesystem::exists(path("out.npy")));
  Matrix<float> unknown = made_image(48, 60);
  unknown(1, 2) = std::numeric_limits<float>::quiet_NaN();
  write_npy(path("unknown.npy"), unknown.view());
  refused({"--sigma", "9", "--reference", path("unknown.npy")}, {"--reference", "finite"});
  expect_one_error(run({"operator", "denoise", in, "--output", in}), kUsage, {"--output"});
  EXPECT_EQ(read_text(in), whole);
  expect_one_error(run({"operator", "denoise", in}), kUsage, {"--output"});
  expect_one_error(run({"operator", "denoise", in, "--output", path("out.gif")}), kUsage,
                   {"--output", ".png"});
  expect_one_error(run({"operator", "denoise", in, "--output", "/nowhere/out.png"}), kFailed, {"/nowhere"});

  const std::string mask = image("mask.png", made_image(48, 60));
  const auto inpaint = [&](std::vector<std::string> more, const std::vector<std::string>& parts) {
    std::vector<std::string> arguments{"operator", "inpaint", in, "--output", out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    SCOPED_TRACE(parts.front());
    expect_one_error(run(arguments), kUsage, parts);
    EXPECT_FALSE(std::filesystem::exists(out));
  };
  inpaint({}, {"--mask"});
  inpaint({"--mask", path("other.png")}, {"--mask: 20 × 20 pixels for an image of 60 × 48"});
  inpaint({"--mask", image("black.png", Matrix<float>(48, 60))}, {"mask: no pixel is known"});
  for (const char* flag : {"--sigma=-1", "--nu=0", "--first-scale=0", "--first-scale=2", "--last-scale=x",
                           "--max-iterations=0", "--tile=100", "--sigma=nan"}) {
    inpaint({"--mask", mask, flag}, {std::string(flag).substr(0, std::string(flag).find('='))});
  }
}

TEST_F(OperatorImages, CtrlCLeavesNothing) {
  const std::string in = image("large.png", with_noise(made_image(400, 500), 15, 1)), op = cosines();
  const auto before = files();
  for (const char* method : {"analysis", "l1"}) {
    const pid_t process = start({"operator", "denoise", in, "--sigma", "15", "--method", method,
                                 "--max-iterations", "100000", "--output", path("out.png")});
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    kill(process, SIGINT);
    EXPECT_EQ(finish(process).code, 130);
    EXPECT_EQ(files(), before);
  }
}

}  // namespace
}  // namespace parsimony::cli
