// An unrolled flow and a checkpoint of its training of version 1, written by parsimony 0.1.0: every later one
// must read them with these values.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <stop_token>
#include <vector>

#include "expect_error.hpp"
#include "images/flow/flow_file.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/images/flow_training.hpp"
#include "places.hpp"
#include "temporary_directory.hpp"

namespace parsimony::images {
namespace {

TEST(FlowVersion1, HasItsParametersAndDenoises) {
  const UnrolledFlow flow = load_unrolled_flow(places::source_folder() / "tests/formats/v1/flow.npz");
  EXPECT_EQ(flow.side, 3);
  ASSERT_EQ(flow.steps(), 2);
  ASSERT_EQ(flow.filters(), 4);
  EXPECT_FALSE(flow.shared());
  EXPECT_NEAR(flow.mixing(7, 7), 0.05408824650528302, 1e-15);
  EXPECT_NEAR(flow.log_step_scales[1], 1.93498868, 1e-8);
  EXPECT_NEAR(flow.log_scales(0, 0), -0.04510159420780818, 1e-15);
  EXPECT_NEAR(flow.log_weights(1, 3), -1.291123590498434, 1e-15);
  EXPECT_NEAR(flow.tails(1, 7), 0.17131951133776432, 1e-15);
  EXPECT_NEAR(flow.log_rates[0], -0.61537964, 1e-8);
  EXPECT_NEAR(flow.momenta[1], 0.30678353, 1e-8);

  // The image of make_inputs.py, on which the flow was trained.
  Matrix<float> clean(24, 24), noisy(24, 24);
  const RandomStream noise(1, "test.noise");
  for (std::int64_t y = 0; y < 24; ++y) {
    for (std::int64_t x = 0; x < 24; ++x) {
      clean(y, x) = static_cast<float>(128 + 60 * std::sin(static_cast<double>(y) / 3) + (x > 11 ? 40 : 0));
      noisy(y, x) = clean(y, x) + static_cast<float>(20 * noise.normal(24 * y + x));
    }
  }
  const auto distance = [&](const Matrix<float>& image) {
    double squares = 0;
    for (std::int64_t i = 0; i < image.size(); ++i) {
      squares += std::pow(image.values()[i] - clean.values()[i], 2);
    }
    return std::sqrt(squares);
  };
  EXPECT_LT(distance(denoise_by_flow(noisy, flow, 20).image), 0.7 * distance(noisy));
}

// A training whose values follow from formulas. The checkpoint names all of its options.
struct SmallTraining {
  SmallTraining() {
    for (std::int64_t y = 0; y < 24; ++y) {
      for (std::int64_t x = 0; x < 24; ++x) {
        image(y, x) = static_cast<float>((7 * y + 3 * x * x) % 200 + (x > 11 ? 40 : 0));
      }
    }
  }
  TrainedFlow run(const std::filesystem::path& checkpoint, const Context& context = Context(1)) const {
    const MatrixView<const float> view = image;
    return train_unrolled_flow({&view, 1},
                               {.filters = 4,
                                .steps = 2,
                                .side = 3,
                                .iterations = 20,
                                .crops = 2,
                                .crop_side = 12,
                                .checkpoint = checkpoint},
                               context);
  }
  Matrix<float> image{24, 24};
};

// Made by this, with --gtest_also_run_disabled_tests, when a format version is new. Never write an old one
// again.
TEST(FlowVersion1, DISABLED_WritesTheCheckpointOfTheVersion) {
  std::stop_source stop;
  Context context(1);
  context.stop = stop.get_token();
  context.on_progress = [&](std::string_view, std::int64_t done, std::int64_t) {
    if (done == 6) stop.request_stop();
  };
  expect_error(ErrorCode::cancelled, "cancelled", [&] { SmallTraining().run("flow.checkpoint", context); });
}

TEST(FlowVersion1, TrainingContinuesFromItsCheckpoint) {
  const TemporaryDirectory directory;
  const std::filesystem::path checkpoint = directory / "flow.checkpoint";
  std::filesystem::copy_file(places::source_folder() / "tests/formats/v1/flow.checkpoint", checkpoint);
  const SmallTraining training;
  std::vector<std::int64_t> done;
  Context context(1);
  context.on_progress = [&](std::string_view, std::int64_t at, std::int64_t) { done.push_back(at); };
  const TrainedFlow continued = training.run(checkpoint, context);
  ASSERT_FALSE(done.empty());
  EXPECT_EQ(done.front(), 7) << "six iterations are in the file";
  const std::vector<double> losses{-0.3310864687362034, -0.6199288838388723,  -0.42159961619902286,
                                   -0.529527863861565,  -0.16254364319237358, -0.6761236361403815};
  ASSERT_EQ(continued.report.objective_history.size(), 20u);
  for (std::size_t k = 0; k < losses.size(); ++k) {
    EXPECT_NEAR(continued.report.objective_history[k], losses[k], 1e-15);
  }
  // The flow and both momenta are those of a training that was not interrupted.
  const TrainedFlow whole = training.run({});
  const auto found = flow_arrays(continued.flow), expected = flow_arrays(whole.flow);
  for (std::size_t a = 0; a < found.size(); ++a) {
    for (std::size_t k = 0; k < found[a].size(); ++k) {
      EXPECT_NEAR(found[a][k], expected[a][k], 1e-5) << kFlowArrays[a] << ' ' << k;
    }
  }
}

}  // namespace
}  // namespace parsimony::images
