// An unrolled flow of version 1, written by parsimony 0.1.0: every later one must read it with these
// values.
#include <cmath>

#include "parsimony/core/random.hpp"
#include "parsimony/images/unrolled_flow.hpp"
#include "places.hpp"

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

}  // namespace
}  // namespace parsimony::images
