// Trains unrolled flows, and operators through them, on clean images.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/images/unrolled_flow.hpp"

namespace parsimony::images {

struct FlowTrainingOptions {
  double sigma = 20;  ///< standard deviation of the noise, on the scale of the images
  /// Above sigma: each crop draws its sigma between the two, log-uniform; train so for noise that varies.
  /// none (0): sigma alone, which is best for that noise.
  double highest_sigma = 0;
  std::int64_t filters = 63;  ///< filters of a step; rows of the operator with one_energy
  std::int64_t steps = 10;    ///< more steps denoise better and take longer
  std::int64_t side = 8;      ///< pixels of a filter's side
  bool own_filters = true;  ///< each step has filters of its own; off: one set for all, an eighth of the file
  bool one_energy = false;  ///< train an operator: all steps descend its energy, see below
  bool tails = true;        ///< learn the influence of large coefficients too; off: that of the log penalty
  int iterations = 1200;    ///< steps of Adam; the learning rate falls to 0 over them
  std::int64_t crops = 8;   ///< crops per iteration; more of them cost time and reduce the noise of a step
  std::int64_t crop_side = 72;  ///< pixels of a crop's side, margins of `side` included
  double learning_rate = 0.02;  ///< after warm-up; it falls to 0 as a cosine. Lower it when training diverges
  double warm_up = 0.05;        ///< share of the iterations in which the rate rises
  std::uint64_t seed = 0;
  /// A file that is written every minute or so. A later call with the same options continues from it and
  /// gives the same result as one without a break. It stays there at the end. Empty: none.
  std::filesystem::path checkpoint = {};
  /// The flow to start from; its shape wins over the options, and with one_energy flow_operator must accept
  /// it. Without steps: initial_unrolled_flow, or initial_energy_flow with one_energy.
  UnrolledFlow start = {};
};

template <OptionsOf<FlowTrainingOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"sigma", "standard deviation of the noise, on the scale of the images", 1e-6, 1e6},
        options.sigma);
  visit(Field{.name = "highest_sigma",
              .help = "above sigma: each crop draws its noise between the two",
              .low = 1e-6,
              .high = 1e6,
              .word = "none"},
        options.highest_sigma);
  visit(Field{"filters", "number of filters", 1, 1024}, options.filters);
  visit(Field{"steps", "number of steps", 1, 1024}, options.steps);
  visit(Field{"side", "pixels of a filter's side", 2, 16}, options.side);
  visit(Field{.name = "own_filters",
              .help = "filters of its own for every step",
              .off_help = "use one set of filters for all steps: a smaller file, slightly worse"},
        options.own_filters);
  visit(Field{"one_energy", "train an operator: all steps descend its energy, no other filters or tails"},
        options.one_energy);
  visit(Field{.name = "tails",
              .help = "learn the influence of large coefficients too",
              .off_help = "keep the influence of the log penalty for large coefficients"},
        options.tails);
  visit(Field{"iterations", "steps of Adam", 1, 1e7}, options.iterations);
  visit(Field{"crops", "crops of the images per iteration", 1, 4096}, options.crops);
  visit(Field{"crop_side", "pixels of a crop's side", 5, 4096}, options.crop_side);
  visit(Field{"learning_rate", "rate of Adam after warm-up", 1e-9, 1}, options.learning_rate);
  visit(Field{"warm_up", "share of the iterations in which the rate rises", 0, 1}, options.warm_up);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

struct TrainedFlow {
  UnrolledFlow flow;
  Report report;
};

/// images: clean, each with at least crop_side pixels on both sides. Every iteration cuts `crops` random
/// crops of them, turned and mirrored at random, adds fresh white noise, and takes one step of Adam
/// [kingma2015adam] (0.9, 0.99) on the mean ln of the mean squared error inside a margin of `side` pixels.
/// The derivative through all steps is exact, by hand. The model of [chen2017trainable] with other influence
/// functions. Without own_filters and tails it has 5,000 numbers instead of 40,000, and gave 0.16 dB less at
/// sigma 20 (experiments/denoising/training.md).
///
/// one_energy trains an operator for the quality of denoising by its energy, as bilevel learning does
/// [chen2014insights], with the lower problem cut off after the steps: one mixing, whose rows move on the
/// unit sphere, one scale √ν and one weight for all rows and steps, and rates and momenta of each step.
/// flow_operator gives the operator. L-BFGS in denoise_by_operator goes further down than the steps do; its
/// own ν and weight suit it better than the learned ones, which make up for stopping early and are figures of
/// the report.
///
/// 14 · steps · filters · side² flops a pixel of the crops and an iteration; memory: 8 bytes a pixel and step
/// for each thread. The same bytes for any number of threads. report: objective_history (an
/// entry per iteration: the natural logarithm of the loss in units of sigma²), figures "psnr_gain" (dB over
/// the noisy crops, mean of the last tenth of the iterations) and, with one_energy, "nu" and "weight".
///
/// Throws invalid_argument (no images; one that is too small or has a value that is not finite: named;
/// options out of range), memory_limit, io and format (checkpoint), cancelled.
TrainedFlow train_unrolled_flow(std::span<const MatrixView<const float>> images,
                                const FlowTrainingOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::images
