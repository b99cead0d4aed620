#include "parsimony/images/flow_training.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/files/npz.hpp"
#include "expect_error.hpp"
#include "images/flow/flow_file.hpp"
#include "images/flow/flow_network.hpp"
#include "images/flow_reference.hpp"
#include "images/perturbed_flow.hpp"
#include "limited_memory.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/images/image_denoising.hpp"
#include "temporary_directory.hpp"

namespace parsimony::images {
namespace {

// An image with edges and a texture, on the scale of grey values.
Matrix<float> scene(std::int64_t height, std::int64_t width, std::uint64_t seed) {
  Matrix<float> image(height, width);
  const RandomStream random(seed, "test.scene");
  const double slope = random.uniform(0) - 0.5, edge = static_cast<double>(width) * random.uniform(1);
  const double wave = 0.3 + random.uniform(2);
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const bool right = static_cast<double>(x) + slope * static_cast<double>(y) > edge;
      image(y, x) = static_cast<float>(right ? 180 : 70 + 30 * std::sin(wave * static_cast<double>(x + y)));
    }
  }
  return image;
}

Matrix<float> noisy_of(const Matrix<float>& clean, float sigma, std::uint64_t seed = 2) {
  Matrix<float> noisy(clean.rows(), clean.cols());
  RandomStream(seed, "test.noise").fill_normal(noisy.values(), 0, sigma);
  for (std::int64_t k = 0; k < clean.size(); ++k) noisy.data()[k] += clean.data()[k];
  return noisy;
}

// Mean over the pixels.
double squared_error(const Matrix<float>& found, const Matrix<float>& clean) {
  double sum = 0;
  for (std::int64_t k = 0; k < found.size(); ++k) {
    const double error = static_cast<double>(found.data()[k]) - clean.data()[k];
    sum += error * error;
  }
  return sum / static_cast<double>(found.size());
}

UnrolledFlow with_own_filters(UnrolledFlow flow) {
  flow.mixing = Matrix<double>(flow.steps() * flow.filters(), flow.mixing.cols());
  for (std::int64_t k = 0; k < flow.mixing.size(); ++k)
    flow.mixing.data()[k] = RandomStream(7, "test").normal(k) / 4;
  return flow;
}

// The derivative by hand in float32 against central differences of a plain computation in float64. Budget:
// differences are good to 1e-8 of the loss over the step; the float32 of three steps to some 1e-6.
void expect_derivative(UnrolledFlow flow) {
  constexpr std::int64_t kMargin = 3;
  Matrix<float> clean = scene(19, 23, 1);
  for (float& value : clean.values()) value /= 20;
  const Matrix<float> noisy = noisy_of(clean, 1);
  const std::vector<FlowStep> steps = flow_steps(flow);
  std::vector<std::vector<FlowStepGradient>> parts(1);
  const double loss = flow_loss(steps, noisy, clean, kMargin, &parts[0]);
  EXPECT_NEAR(loss, testing::reference_loss(flow, noisy, clean, kMargin), 1e-5);
  EXPECT_EQ(flow_loss(steps, noisy, clean, kMargin, nullptr), loss);
  UnrolledFlow gradient = flow_gradient(flow, steps, parts);
  const auto values = flow_arrays(flow), slopes = flow_arrays(gradient);
  for (std::size_t a = 0; a < values.size(); ++a) {
    double largest = 0;
    for (const double slope : slopes[a]) largest = std::max(largest, std::abs(slope));
    EXPECT_GT(largest, 0);
    for (std::size_t k = 0; k < values[a].size(); k += 1 + values[a].size() / 20) {
      const double value = values[a][k], step = 1e-4;
      values[a][k] = value + step;
      const double above = testing::reference_loss(flow, noisy, clean, kMargin);
      values[a][k] = value - step;
      const double below = testing::reference_loss(flow, noisy, clean, kMargin);
      values[a][k] = value;
      EXPECT_NEAR(slopes[a][k], (above - below) / (2 * step), 2e-4 * largest + 1e-6)
          << kFlowArrays[a] << " " << k;
    }
  }
}

TEST(FlowGradient, IsThatOfDifferences) {
  expect_derivative(perturbed_flow(11, 3, 4));
  expect_derivative(with_own_filters(perturbed_flow(5, 3, 3)));
}

FlowTrainingOptions small_options() {
  return {.filters = 8, .steps = 3, .side = 3, .iterations = 30, .crops = 4, .crop_side = 24, .seed = 5};
}

struct Images {
  explicit Images(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) held.push_back(scene(40 + i, 37, i));
    for (const auto& image : held) views.push_back(image);
  }
  std::vector<Matrix<float>> held;
  std::vector<MatrixView<const float>> views;
};

void expect_same(UnrolledFlow a, UnrolledFlow b) {
  const auto first = flow_arrays(a), second = flow_arrays(b);
  for (std::size_t k = 0; k < first.size(); ++k) {
    EXPECT_TRUE(std::equal(first[k].begin(), first[k].end(), second[k].begin(), second[k].end()))
        << kFlowArrays[k];
  }
}

TEST(FlowTraining, LowersTheLossAndTheErrorOnAnotherImage) {
  const Images images(12);
  FlowTrainingOptions options = small_options();
  options.iterations = 250;
  const TrainedFlow trained = train_unrolled_flow(images.views, options);
  ASSERT_EQ(trained.report.objective_history.size(), 250u);
  const Matrix<float> clean = scene(60, 50, 77), noisy = noisy_of(clean, 20);
  const double before =
      squared_error(denoise_by_flow(noisy, initial_unrolled_flow(8, 3, 3), 20).image, clean);
  const double after = squared_error(denoise_by_flow(noisy, trained.flow, 20).image, clean);
  EXPECT_LT(after, before);
  EXPECT_LT(after, 400 / 4.0);  // the noise has 400
}

FlowTrainingOptions one_energy(FlowTrainingOptions options) {
  options.one_energy = true;
  return options;
}

// The steps descend the energy of denoise_by_operator, written out here; checked against differences.
TEST(FlowTraining, OfOneEnergyIsThatOfAnOperator) {
  const Images images(4);
  FlowTrainingOptions options = one_energy(small_options());
  options.filters = 11;  // more than the 8 cosines
  const UnrolledFlow flow = train_unrolled_flow(images.views, options).flow;
  const Matrix<double> omega = flow_operator(flow), start = flow_operator(initial_energy_flow(11, 3, 3));
  ASSERT_EQ(omega.rows(), 11);
  ASSERT_EQ(omega.cols(), 9);
  const double nu = std::exp(2 * flow.log_step_scales[0]), weight = std::exp(flow.log_weights(0, 0));
  EXPECT_GT(std::abs(std::log(nu / 48)), 1e-2) << "learned";
  EXPECT_GT(std::abs(std::log(weight * 11 / 0.32)), 1e-2) << "learned";
  for (std::int64_t i = 0; i < omega.rows(); ++i) {
    double cosine = 0;
    for (std::int64_t t = 0; t < 9; ++t) cosine += omega(i, t) * start(i, t);
    EXPECT_LT(cosine, 1 - 1e-3) << "row " << i << " has not moved";
  }
  for (std::int64_t i = 0; i < omega.rows(); ++i) {
    double sum = 0, squares = 0;
    for (const double value : omega.row(i)) {
      sum += value;
      squares += value * value;
    }
    EXPECT_NEAR(sum, 0, 1e-12);
    EXPECT_NEAR(squares, 1, 1e-12);
  }
  Matrix<float> clean = scene(12, 14, 1);
  for (float& value : clean.values()) value /= 20;
  Matrix<float> x = noisy_of(clean, 1);
  const auto energy = [&] {
    double sum = 0;
    for (std::int64_t y = 0; y + 3 <= x.rows(); ++y) {
      for (std::int64_t z = 0; z + 3 <= x.cols(); ++z) {
        for (std::int64_t i = 0; i < omega.rows(); ++i) {
          double r = 0;
          for (std::int64_t t = 0; t < 9; ++t) r += omega(i, t) * x(y + t / 3, z + t % 3);
          sum += weight * std::log1p(nu * r * r);
        }
      }
    }
    return sum;
  };
  for (const FlowStep& step : flow_steps(flow)) {
    Matrix<float> gradient(x.rows(), x.cols());
    add_penalty_gradient(step, x.data(), x.cols(), x.cols(), x.rows() - 2, gradient.data());
    for (std::int64_t k = 0; k < x.size(); k += 5) {
      const float value = x.data()[k];
      x.data()[k] = value + 0x1p-10f;
      const double above = energy();
      x.data()[k] = value - 0x1p-10f;
      const double below = energy();
      x.data()[k] = value;
      EXPECT_NEAR(gradient.data()[k], (above - below) / 0x1p-9, 1e-3);
    }
  }
}

TEST(FlowTraining, OfOneEnergyMakesAnOperatorThatDenoisesBetter) {
  const Images images(12);
  FlowTrainingOptions options = one_energy(small_options());
  options.iterations = 250;
  const TrainedFlow trained = train_unrolled_flow(images.views, options);
  const Matrix<double> cosines = zero_mean_dct(3), learned = flow_operator(trained.flow);
  double before = 0, after = 0;
  for (std::uint64_t seed = 70; seed < 76; ++seed) {
    const Matrix<float> clean = scene(60, 50, seed), noisy = noisy_of(clean, 20, seed);
    before += squared_error(denoise_by_operator(noisy, cosines, {.sigma = 20}).image, clean);
    after += squared_error(denoise_by_operator(noisy, learned, {.sigma = 20}).image, clean);
  }
  EXPECT_LT(after, 0.85 * before);
}

FlowTrainingOptions with_checkpoint(FlowTrainingOptions options, const std::filesystem::path& path) {
  options.checkpoint = path;
  return options;
}

// Rows move along the sphere: the momentum, which the checkpoint holds, is tangent to it.
TEST(FlowTraining, OfOneEnergyDoesNotPullAtTheNormOfRows) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "training.npz";
  const Images images(2);
  const UnrolledFlow flow =
      train_unrolled_flow(images.views, with_checkpoint(one_energy(small_options()), path)).flow;
  NpzArchive archive(read_file(path), path.string(), 0, "");
  const UnrolledFlow momentum = read_flow(archive, "first_");
  for (std::int64_t i = 0; i < flow.filters(); ++i) {
    double along = 0, size = 0;
    for (std::int64_t j = 0; j < 8; ++j) {
      along += momentum.mixing(i, j) * flow.mixing(i, j);
      size += momentum.mixing(i, j) * momentum.mixing(i, j);
    }
    EXPECT_GT(size, 0);
    EXPECT_LT(std::abs(along), 1e-12 * std::sqrt(size));
  }
}

TEST(FlowTraining, GivesTheSameBytesWithAnyNumberOfThreads) {
  const Images images(3);
  for (const FlowTrainingOptions& options : {small_options(), one_energy(small_options())}) {
    const TrainedFlow one = train_unrolled_flow(images.views, options, Context(1));
    for (const int threads : {2, 3}) {
      const TrainedFlow other = train_unrolled_flow(images.views, options, Context(threads));
      expect_same(one.flow, other.flow);
      EXPECT_EQ(one.report.objective_history, other.report.objective_history);
    }
  }
}

class FlowCheckpoint : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Kinds, FlowCheckpoint, ::testing::Bool());

TEST_P(FlowCheckpoint, IsGoneOnFrom) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "training.npz";
  const Images images(2);
  const FlowTrainingOptions options = GetParam() ? one_energy(small_options()) : small_options();
  const TrainedFlow whole = train_unrolled_flow(images.views, options);
  std::stop_source stop;
  Context context(2);
  context.stop = stop.get_token();
  context.on_progress = [&](std::string_view, std::int64_t done, std::int64_t) {
    if (done == 12) stop.request_stop();
  };
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { train_unrolled_flow(images.views, with_checkpoint(options, path), context); });
  ASSERT_TRUE(std::filesystem::exists(path));  // what was done is not lost
  const TrainedFlow rest = train_unrolled_flow(images.views, with_checkpoint(options, path), Context(1));
  expect_same(whole.flow, rest.flow);
  EXPECT_EQ(whole.report.objective_history, rest.report.objective_history);

  FlowTrainingOptions other = options, kind = options;
  other.seed = 6;
  kind.one_energy = !options.one_energy;
  for (const FlowTrainingOptions& changed : {other, kind}) {
    expect_error(ErrorCode::invalid_argument, "checkpoint of other options",
                 [&] { train_unrolled_flow(images.views, with_checkpoint(changed, path), Context(1)); });
  }
  expect_error(ErrorCode::invalid_argument, "checkpoint of other options",
               [&] { train_unrolled_flow(Images(3).views, with_checkpoint(options, path), Context(1)); });
}

TEST(FlowTraining, AsksForItsMemoryFirst) {
  const Images images(1);
  expect_error(ErrorCode::memory_limit, "training the flow", [&] {
    train_unrolled_flow(images.views, small_options(), parsimony::testing::limited_memory(1000));
  });
}

TEST(FlowTraining, RefusesWhatCannotBe) {
  const Images images(1);
  const auto refuse = [&](FlowTrainingOptions options, const std::string& piece) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { train_unrolled_flow(images.views, options); });
  };
  FlowTrainingOptions options = small_options();
  options.sigma = 0;
  refuse(options, "sigma");
  options = small_options();
  options.crop_side = 8;
  refuse(options, "crop_side");

  options.crop_side = 38;
  refuse(options, "images: number 1 is 40 x 37 pixels; must have 38 on each side");
  options = small_options();
  options.highest_sigma = options.sigma;
  refuse(options, "highest_sigma: 20 must be above option sigma, 20");
  expect_error(ErrorCode::invalid_argument, "images: none", [&] { train_unrolled_flow({}); });
  const UnrolledFlow shared = initial_energy_flow(8, 3, 3);
  const auto no_operator = [&](const std::string& piece, UnrolledFlow flow) {
    expect_error(ErrorCode::invalid_argument, "flow: " + piece, [&] { flow_operator(flow); });
    expect_error(ErrorCode::invalid_argument, "start: " + piece, [&] {
      FlowTrainingOptions from = one_energy(small_options());
      from.start = flow;
      train_unrolled_flow(images.views, from);
    });
  };
  EXPECT_NO_THROW(flow_operator(shared));
  no_operator("every step has filters of its own", with_own_filters(shared));
  no_operator("scales differ", initial_unrolled_flow(8, 3, 3));
  UnrolledFlow changed = shared;
  changed.log_scales(1, 2) = 0.1;
  no_operator("scales differ", changed);
  (changed = shared).log_weights(2, 7) = -1;
  no_operator("weights differ", changed);
  (changed = shared).tails(0, 0) = 0.1;
  no_operator("it has tails", changed);
  (changed = shared).mixing(3, 3) = 0;
  no_operator("row 3 of the mixing has a norm other than 1", changed);
  Images broken(2);
  broken.held[1](3, 4) = std::nanf("");
  expect_error(ErrorCode::invalid_argument, "images: number 2: row 3, column 4 is nan; must be finite",
               [&] { train_unrolled_flow(broken.views, small_options()); });
}

}  // namespace
}  // namespace parsimony::images
