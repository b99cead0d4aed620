// Training of the unrolled flow on clean images.
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
  double sigma = 20;         ///< standard deviation of the noise, on the scale of the images
  double highest_sigma = 0;  ///< above sigma: each crop's is drawn between the two, log-uniform
  std::int64_t filters = 63;
  std::int64_t steps = 10;
  std::int64_t side = 8;        ///< of a filter
  bool own_filters = true;      ///< a mixing of its own for every step, else one for all
  bool one_energy = false;      ///< every step descends the energy of one operator, see below
  bool tails = true;            ///< learn the influence of large coefficients too, else the log penalty's
  int iterations = 1200;        ///< of Adam
  std::int64_t crops = 8;       ///< per iteration
  std::int64_t crop_side = 72;  ///< pixels, margins of `side` included
  double learning_rate = 0.02;  ///< after warm-up, before it falls to 0 as a cosine
  double warm_up = 0.05;        ///< of the iterations
  std::uint64_t seed = 0;
};

template <OptionsOf<FlowTrainingOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"sigma", "standard deviation of the noise, on the scale of the images", 1e-6, 1e6},
        options.sigma);
  visit(Field{"highest_sigma", "where above sigma: noise is drawn between the two", 0, 1e6},
        options.highest_sigma);
  visit(Field{"filters", "number of filters", 1, 1024}, options.filters);
  visit(Field{"steps", "number of steps", 1, 1024}, options.steps);
  visit(Field{"side", "pixels of a filter's side", 2, 16}, options.side);
  visit(Field{"own_filters", "filters of its own for every step"}, options.own_filters);
  visit(Field{"one_energy", "train an operator: all steps descend its energy, no other filters or tails"},
        options.one_energy);
  visit(Field{"tails", "learn the influence of large coefficients too"}, options.tails);
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

/// images: clean, each with crop_side pixels or more on both sides. Every iteration cuts `crops` of them at
/// random, turned and mirrored at random, adds fresh white noise, and takes one step of Adam
/// [kingma2015adam] (0.9, 0.99) on the mean ln of the mean squared error inside a margin of `side` pixels.
/// The derivative through all steps is exact, by hand. The model of
/// [chen2017trainable] with other influence functions. Without own_filters and tails it has 5,000 numbers and
/// not 40,000, and gave 0.16 dB less at sigma 20 (experiments/denoising/training.md).
///
/// one_energy trains an operator for what its energy gives, as bilevel learning does [chen2014insights], with
/// the lower problem cut off after the steps: one mixing, whose rows move on the unit sphere, one scale √ν
/// and one weight for all rows and steps, and rates and momenta of each step. flow_operator gives the
/// operator. L-BFGS in denoise_image goes further down than the steps do, so that its own ν and weight suit
/// it better than those that make up for stopping early; these are figures of the report.
///
/// Starts from `start` where it has steps (its shape wins over the options; with one_energy flow_operator
/// must take it), else from initial_unrolled_flow or initial_energy_flow. checkpoint, where not empty: a file
/// that is written every minute or so, and that a later call with the same options goes on from; what comes
/// out is the same as without a break. It stays there at the end.
///
/// 14 · steps · filters · side² flops a pixel of the crops and an iteration; memory: 8 bytes a pixel and step
/// for each thread. The same bytes for any number of threads. report: objective_history (the loss, in units
/// of sigma², as a natural logarithm, an entry per iteration), figures "psnr_gain" (dB over the noisy crops,
/// mean of the last tenth of the iterations) and, with one_energy, "nu" and "weight".
///
/// Throws invalid_argument (no images, one too small or with a value that is not finite: named; options out
/// of range), io and format (checkpoint), cancelled.
TrainedFlow train_unrolled_flow(std::span<const MatrixView<const float>> images,
                                const FlowTrainingOptions& options = {}, const Context& context = Context{},
                                const std::filesystem::path& checkpoint = {}, const UnrolledFlow& start = {});

}  // namespace parsimony::images
