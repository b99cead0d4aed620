#include "parsimony/images/flow_training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>
#include <string>

#include "core/files/output_gate.hpp"
#include "images/energy/check_image.hpp"
#include "images/flow/flow_file.hpp"
#include "images/flow/flow_network.hpp"
#include "operators/frames/unit_rows.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::images {
namespace {

constexpr double kFirstDecay = 0.9, kSecondDecay = 0.99, kSmall = 1e-8;
constexpr std::chrono::seconds kBetweenCheckpoints(60);
constexpr std::int64_t kCheckpointVersion = 1;
// Random numbers per crop, by position: image, row, column, orientation, sigma.
constexpr std::uint64_t kDraws = 8;

struct Crop {
  Matrix<float> clean, noisy;  // in units of its sigma
};

class Training {
 public:
  Training(std::span<const MatrixView<const float>> images, const FlowTrainingOptions& options,
           const Context& context)
      : images_(images), options_(options), context_(context) {
    const UnrolledFlow& start = options.start;
    const auto initial = options.one_energy ? initial_energy_flow : initial_unrolled_flow;
    flow_ = start.steps() > 0 ? start : initial(options.filters, options.steps, options.side);
    check_unrolled_flow(flow_, "start");
    options_.filters = flow_.filters();
    options_.steps = flow_.steps();
    options_.side = flow_.side;
    if (options_.one_energy) {
      check_one_energy(flow_, "start");
      options_.tails = false;
    } else if (options_.own_filters && flow_.shared() && flow_.steps() > 1) {
      give_own_filters();
    }
    options_.own_filters = !flow_.shared();
    first_ = second_ = zero_like(flow_);
    check();
  }

  TrainedFlow run() {
    context_.require_memory(memory(), "training the flow", "smaller crops need less");
    const std::filesystem::path& checkpoint = options_.checkpoint;
    TrainedFlow out{.report = make_report("training of an unrolled flow", context_, options_.seed)};
    record_options(out.report, options_);
    StageTimer timer(out.report, "training");
    if (!checkpoint.empty() && std::filesystem::exists(checkpoint)) resume(checkpoint);
    std::optional<UnsavedWork> unsaved;
    if (!checkpoint.empty()) unsaved.emplace("writing the checkpoint " + checkpoint.string());
    try {
      auto saved = std::chrono::steady_clock::now();
      for (auto k = static_cast<int>(losses_.size()); k < options_.iterations; ++k) {
        step(k);
        context_.progress("train", k + 1, options_.iterations);
        const auto now = std::chrono::steady_clock::now();
        if (!checkpoint.empty() && now - saved > kBetweenCheckpoints) {
          save(checkpoint);
          saved = now;
        }
      }
    } catch (const Error& error) {
      // Cancelling happens between two iterations, where the state is consistent and can be saved.
      if (error.code() == ErrorCode::cancelled && !checkpoint.empty() && !losses_.empty()) save(checkpoint);
      throw;
    }
    if (!checkpoint.empty()) save(checkpoint);
    unsaved.reset();
    timer.finish();
    const auto last = static_cast<std::int64_t>(losses_.size() + 9) / 10;
    double mean = 0;
    for (std::int64_t k = 0; k < last; ++k)
      mean += losses_[losses_.size() - 1 - k] / static_cast<double>(last);
    out.report.status = Status::iteration_limit;
    out.report.iterations = options_.iterations;
    // The noisy crops have a mean squared error of 1.
    out.report.figures.emplace_back("psnr_gain", -10 / std::numbers::ln10 * mean);
    if (options_.one_energy) {
      out.report.figures.emplace_back("nu", std::exp(2 * flow_.log_step_scales[0]));
      out.report.figures.emplace_back("weight", std::exp(flow_.log_weights(0, 0)));
    }
    out.report.objective_history = std::move(losses_);
    out.flow = std::move(flow_);
    return out;
  }

 private:
  // The images between the steps of a crop for each thread, both moments, and a gradient for each crop.
  std::int64_t memory() const {
    const std::int64_t pixels = static_cast<std::int64_t>(options_.crop_side) * options_.crop_side;
    const std::int64_t numbers = options_.steps * options_.filters * options_.side * options_.side;
    return context_.threads() * 8 * pixels * (options_.steps + 4) + 8 * numbers * (options_.crops + 6);
  }

  // All rows and steps share one scale and one weight: their derivatives are sums over all of them.
  void tie(UnrolledFlow& gradient) const {
    for (const std::span<double> all : {std::span(gradient.log_step_scales), gradient.log_weights.values()}) {
      std::ranges::fill(all, std::accumulate(all.begin(), all.end(), 0.0));
    }
    std::ranges::fill(gradient.log_scales.values(), 0.0);
    std::ranges::fill(gradient.tails.values(), 0.0);
  }

  // Rows of norm 1 move along the sphere: removes the part of each slope, or momentum, along its row.
  void make_tangent(Matrix<double>& slopes) const {
    for (std::int64_t i = 0; i < slopes.rows(); ++i) {
      const auto row = flow_.mixing.row(i);
      const double along = std::inner_product(row.begin(), row.end(), slopes.row(i).begin(), 0.0);
      for (std::int64_t j = 0; j < slopes.cols(); ++j) slopes(i, j) -= along * row[j];
    }
  }

  // Gives every step its own copy of the shared filters.
  void give_own_filters() {
    Matrix<double> own(flow_.steps() * flow_.filters(), flow_.mixing.cols());
    for (std::int64_t s = 0; s < flow_.steps(); ++s) {
      std::copy_n(flow_.mixing.data(), flow_.mixing.size(), own.data() + s * flow_.mixing.size());
    }
    flow_.mixing = std::move(own);
  }

  void check() const {
    if (images_.empty()) refuse("images: none to learn from");
    if (options_.crop_side < 3 * options_.side) {
      refuse(fmt::format("crop_side: {} is less than three filters of side {}", options_.crop_side,
                         options_.side));
    }
    for (std::size_t i = 0; i < images_.size(); ++i) {
      const MatrixView<const float>& image = images_[i];
      if (std::min(image.rows, image.cols) < options_.crop_side) {
        refuse(fmt::format("images: number {} is {} x {} pixels; must have {} on each side", i + 1,
                           image.rows, image.cols, options_.crop_side));
      }
      check_finite(image, fmt::format("images: number {}", i + 1));
    }
  }

  // Crop c of an iteration, a function of (seed, iteration, c).
  Crop make_crop(int iteration, std::int64_t c) const {
    const RandomStream random(options_.seed, "flow_training.crops", iteration);
    const auto at = static_cast<std::uint64_t>(c) * kDraws;
    const MatrixView<const float>& image = images_[random.below(images_.size(), at)];
    const std::int64_t n = options_.crop_side;
    const auto top = static_cast<std::int64_t>(random.below(image.rows - n + 1, at + 1));
    const auto left = static_cast<std::int64_t>(random.below(image.cols - n + 1, at + 2));
    const std::uint64_t orientation = random.below(8, at + 3);
    double sigma = options_.sigma;
    if (options_.highest_sigma > sigma) {
      sigma *= std::pow(options_.highest_sigma / sigma, random.uniform(at + 4));
    }
    Crop crop{Matrix<float>(n, n), Matrix<float>(n, n)};
    const RandomStream noise(options_.seed, "flow_training.noise", iteration);
    noise.fill_normal(crop.noisy.values(), static_cast<std::uint64_t>(c * n * n));
    for (std::int64_t y = 0; y < n; ++y) {
      for (std::int64_t x = 0; x < n; ++x) {
        std::int64_t u = orientation & 1 ? n - 1 - y : y, v = orientation & 2 ? n - 1 - x : x;
        if (orientation & 4) std::swap(u, v);
        crop.clean(y, x) = static_cast<float>(image(top + u, left + v) / sigma);
        crop.noisy(y, x) += crop.clean(y, x);
      }
    }
    return crop;
  }

  void step(int iteration) {
    const std::vector<FlowStep> steps = flow_steps(flow_);
    std::vector<std::vector<FlowStepGradient>> parts(options_.crops);
    std::vector<double> losses(options_.crops);
    context_.for_blocks(options_.crops, 1, [&](std::int64_t c, std::int64_t) {
      const Crop crop = make_crop(iteration, c);
      losses[c] = flow_loss(steps, crop.noisy, crop.clean, options_.side, &parts[c]);
    });
    double loss = 0;
    for (const double part : losses) loss += part / static_cast<double>(options_.crops);
    if (!std::isfinite(loss)) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("learning_rate: at {} the training diverged, in iteration {}; try a smaller one",
                      options_.learning_rate, iteration + 1));
    }
    losses_.push_back(loss);
    descend(iteration, flow_gradient(flow_, steps, parts));
  }

  void descend(int iteration, UnrolledFlow gradient) {
    if (options_.one_energy) {
      tie(gradient);
      make_tangent(gradient.mixing);
    }
    const double done = (iteration + 0.5) / options_.iterations;
    const double rising = options_.warm_up > 0 ? std::min(1.0, done / options_.warm_up) : 1;
    const double rate = options_.learning_rate * rising * (1 + std::cos(std::numbers::pi * done)) / 2;
    const double first_bias = 1 - std::pow(kFirstDecay, iteration + 1);
    const double second_bias = 1 - std::pow(kSecondDecay, iteration + 1);
    const auto values = flow_arrays(flow_), slopes = flow_arrays(gradient), first = flow_arrays(first_),
               second = flow_arrays(second_);
    for (std::size_t a = 0; a < values.size(); ++a) {
      if (!options_.tails && kFlowArrays[a] == "tails") continue;
      for (std::size_t k = 0; k < values[a].size(); ++k) {
        const double slope = slopes[a][k];
        double &m = first[a][k], &v = second[a][k];
        m = kFirstDecay * m + (1 - kFirstDecay) * slope;
        v = kSecondDecay * v + (1 - kSecondDecay) * slope * slope;
        const double step = rate * (m / first_bias) / (std::sqrt(v / second_bias) + kSmall);
        values[a][k] = std::clamp(values[a][k] - step, -kLargestFlowValue, kLargestFlowValue);
      }
    }
    if (options_.one_energy) {
      flow_.mixing = operators::unit_rows(flow_.mixing);
      make_tangent(first_.mixing);
    }
  }

  // A checkpoint continues only the run with the same signature: the same images and options.
  std::string signature() const {
    std::string out = fmt::format("{} images;", images_.size());
    double sum = 0;
    for (const auto& image : images_) {
      for (std::int64_t y = 0; y < image.rows; ++y) {
        for (const float value : image.row(y)) sum += value;
      }
    }
    out += fmt::format("{};", sum);
    describe(options_,
             [&](const Field& field, const auto& value) { out += fmt::format("{}={};", field.name, value); });
    return out;
  }

  void save(const std::filesystem::path& path) const {
    std::vector<std::pair<std::string, std::string>> members;
    const std::string text = signature();
    members.push_back(npz_member("version", "<i8", {}, &kCheckpointVersion, sizeof kCheckpointVersion));
    members.push_back(npz_member("run", fmt::format("|S{}", text.size()), {}, text.data(), text.size()));
    members.push_back(npz_member("losses", "<f8", {static_cast<std::int64_t>(losses_.size())}, losses_.data(),
                                 8 * losses_.size()));
    append_flow(members, "flow_", flow_);
    append_flow(members, "first_", first_);
    append_flow(members, "second_", second_);
    const SavingState saving;
    write_file(path, make_zip(members));
  }

  void resume(const std::filesystem::path& path) {
    NpzArchive archive(read_file(path), path.string(), 0, "is it a checkpoint of this training?");
    if (archive.integer("version") != kCheckpointVersion) {
      archive.fail(fmt::format("must be a checkpoint of version {}", kCheckpointVersion),
                   ErrorCode::unsupported);
    }
    if (npy_text(archive.array("run")) != signature()) {
      archive.fail("is a checkpoint of other options or images; remove it to start anew",
                   ErrorCode::invalid_argument);
    }
    losses_ = npy_items<double>(archive.array("losses"));
    for (const auto& [prefix, to] :
         {std::pair("flow_", &flow_), {"first_", &first_}, {"second_", &second_}}) {
      UnrolledFlow read = read_flow(archive, prefix);
      const auto arrays = flow_arrays(read), expected = flow_arrays(*to);
      for (std::size_t a = 0; a < arrays.size(); ++a) {
        if (arrays[a].size() != expected[a].size()) {
          archive.fail(fmt::format("{}{} does not have the shape of this training", prefix, kFlowArrays[a]));
        }
        for (const double value : arrays[a]) {
          if (!std::isfinite(value))
            archive.fail(fmt::format("{}{} has a value {}", prefix, kFlowArrays[a], value));
        }
        std::copy(arrays[a].begin(), arrays[a].end(), expected[a].begin());
      }
    }
    if (losses_.size() > static_cast<std::size_t>(options_.iterations)) archive.fail("has too many losses");
    context_.log(LogLevel::info,
                 fmt::format("{}: going on after iteration {}", path.string(), losses_.size()));
  }

  std::span<const MatrixView<const float>> images_;
  FlowTrainingOptions options_;
  const Context& context_;
  UnrolledFlow flow_, first_, second_;
  std::vector<double> losses_;
};

}  // namespace

TrainedFlow train_unrolled_flow(std::span<const MatrixView<const float>> images,
                                const FlowTrainingOptions& options, const Context& context) {
  validate_fields(options);
  if (options.highest_sigma > 0 && options.highest_sigma <= options.sigma) {
    refuse(fmt::format("highest_sigma: {} must be above option sigma, {}", options.highest_sigma,
                       options.sigma));
  }
  return Training(images, options, context).run();
}

}  // namespace parsimony::images
