#include "parsimony/operators/learn.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/count_of.hpp"
#include "operators/frames/checks.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::operators {
namespace {

// The learners refuse these too, each in its own words; here the message names the option.
void check_rows(const LearnOptions& options, MatrixView<const float> signals) {
  const std::int64_t least = signals.cols - (options.zero_mean ? 1 : 0);
  if (options.rows < least) {
    refuse(fmt::format("rows: {} for signals of {}{}; must be at least {}", count_of(options.rows, "row"),
                       count_of(signals.cols, "value"), options.zero_mean ? " without their mean" : "",
                       least));
  }
  if (options.rows > signals.rows) {
    refuse(fmt::format("rows: {} from {}; must be at most as many", count_of(options.rows, "row"),
                       count_of(signals.rows, "signal")));
  }
}

bool all_constant(MatrixView<const float> signals) {
  for (std::int64_t s = 0; s < signals.rows; ++s) {
    for (const float value : signals.row(s)) {
      if (value != signals(s, 0)) return false;
    }
  }
  return true;
}

// Most bytes of learning beside the signals.
std::int64_t learning_memory(MatrixView<const float> signals, const LearnOptions& options,
                             const Context& context) {
  constexpr std::int64_t kSums = 64, kAtOnce = 128;
  const std::int64_t rows = options.rows, n = signals.cols, one = 8 * rows * n, whole = 4 * signals.rows * n;
  // The gradients of the tasks, and the products of the threads.
  const std::int64_t sums = std::min(kSums, 1 + signals.rows / 1024) * one +
                            context.threads() * (2 * one + 4 * kAtOnce * (rows + n)) + 16 * rows * rows;
  if (options.method == LearnMethod::untf) {
    const std::int64_t inner = options.zero_mean ? whole : 0;
    const std::int64_t aware = options.untf.noise_aware ? 4 * whole + inner + 4 * signals.rows * rows : 0;
    return sums + 8 * one + inner + std::max(2 * whole, aware);  // aware: after the two copies of the first
  }
  const GeometricLearningOptions& geometric = options.geometric;
  const bool batches = geometric.batch_size > 0 && geometric.batch_size < signals.rows;
  return sums + (batches ? 4 * geometric.batch_size * n + 8 * one : (2 * geometric.memory + 8) * one);
}

LearnedOperator learn(MatrixView<const float> signals, LearnOptions options, const Context& context) {
  check_signals(signals);
  if (options.rows == 0) {
    const bool untf = options.method == LearnMethod::untf;
    const std::int64_t initial = untf ? options.untf.initial.rows : options.geometric.initial.rows;
    options.rows = initial > 0 ? initial : 2 * signals.cols;
  }
  check_rows(options, signals);
  if (all_constant(signals)) refuse("signals: each is constant; there is nothing to learn from");
  context.require_memory(learning_memory(signals, options, context), "learning an operator",
                         "fewer samples or rows need less");
  const auto share = [&](auto& method) {
    method.rows = options.rows;
    method.zero_mean = options.zero_mean;
    method.seed = options.seed;
  };
  if (options.method == LearnMethod::untf) {
    share(options.untf);
    return learn_untf(signals, options.untf, context);
  }
  share(options.geometric);
  return learn_geometric(signals, options.geometric, context);
}

void check(const LearnOptions& options) {
  validate_fields(options);
  validate_fields(options.data);
  if (options.method == LearnMethod::geometric && options.untf.noise_aware) {
    refuse("noise_aware: method geometric has no such option; untf has it");
  }
  if (options.untf.lambda > 0 && !options.untf.noise_aware) {
    refuse("lambda: is the weight of option noise_aware, which was not given");
  }
}

}  // namespace

GeometricLearningOptions suited_to_patches(GeometricLearningOptions options) {
  const GeometricLearningOptions plain;
  if (options.nu == 0) options.nu = 5000;
  if (options.kappa < 0) options.kappa = 60;
  if (options.mu < 0) options.mu = 2;
  if (options.stages == 0) options.stages = 1;
  const bool by_lbfgs = options.max_iterations != plain.max_iterations || options.memory != plain.memory ||
                        options.tolerance != plain.tolerance;
  if (options.batch_size < 0 && !by_lbfgs) options.batch_size = 2048;
  return options;
}

LearnedOperator learn_operator(MatrixView<const float> signals, const LearnOptions& options,
                               const Context& context) {
  check(options);
  check_signal_options(options.data);
  if (options.data.samples == 0) return learn(signals, options, context);
  // draw_signals refuses more samples than signals.
  const std::int64_t drawn = std::min(options.data.samples, signals.rows);
  context.require_memory(4 * drawn * signals.cols + 8 * signals.rows, "drawing the samples",
                         "fewer samples need less");
  return learn(draw_signals(signals, options.data.samples, options.seed), options, context);
}

LearnedOperator learn_operator(std::span<const Image> images, const LearnOptions& options,
                               const Context& context) {
  check(options);
  LearnOptions suited = options;
  suited.zero_mean = true;
  suited.geometric = suited_to_patches(options.geometric);
  const Matrix<float> patches = draw_patches(images, options.data, options.seed, context);
  return learn(patches, suited, context);
}

}  // namespace parsimony::operators
