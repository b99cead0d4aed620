#include "operators/learning/envelope.hpp"

#include <algorithm>
#include <vector>

#include "kernels/outer_products.hpp"
#include "kernels/round_up.hpp"
#include "operators/solvers/splitting.hpp"

namespace parsimony::operators {
namespace {

constexpr std::int64_t kFewestSignalsPerTask = 16 * kSignalsPerSplitting;
constexpr std::int64_t kMostEnvelopeTasks = 32;  // every task has its own sum

// from is rows × kSignalsPerSplitting, to is kSignalsPerSplitting × width.
void transpose(const float* from, std::int64_t rows, float* to, std::int64_t width, float scale) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t s = 0; s < kSignalsPerSplitting; ++s)
      to[s * width + r] = scale * from[r * kSignalsPerSplitting + s];
  }
}

}  // namespace

// Per block, one after the other: cols × 64 of y, x and the iterate, rows × 64 of b.
struct Envelope::State {
  std::int64_t samples, cols, rows, blocks;
  double lambda;
  Matrix<float> noisy, signals, iterates, duals;
};

Envelope::Envelope(MatrixView<const float> noisy, std::int64_t rows, double lambda)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.samples = noisy.rows;
  state.cols = noisy.cols;
  state.rows = rows;
  state.blocks = (noisy.rows + kSignalsPerSplitting - 1) / kSignalsPerSplitting;
  state.lambda = lambda;
  const std::int64_t padded_cols = kernels::round_up(noisy.cols, kernels::kOuterRows);
  state.noisy = Matrix<float>(state.blocks, padded_cols * kSignalsPerSplitting);
  for (std::int64_t s = 0; s < noisy.rows; ++s) {
    for (std::int64_t c = 0; c < noisy.cols; ++c) {
      state.noisy(s / kSignalsPerSplitting, c * kSignalsPerSplitting + s % kSignalsPerSplitting) =
          noisy(s, c);
    }
  }
  state.signals = state.iterates = state.noisy;
  state.duals =
      Matrix<float>(state.blocks, kernels::round_up(rows, kernels::kOuterRows) * kSignalsPerSplitting);
}

Envelope::~Envelope() = default;

double Envelope::evaluate(MatrixView<const double> omega, int iterations, Matrix<double>* gradient,
                          const Context& context) {
  State& state = *state_;
  const Splitting<float> shared(omega, state.lambda);
  const std::int64_t height = shared.padded_cols(),
                     width = kernels::round_up(omega.rows, kernels::kOuterColumns<float>);
  const std::int64_t per_task = kernels::round_up(
      std::max(kFewestSignalsPerTask, (state.samples + kMostEnvelopeTasks - 1) / kMostEnvelopeTasks),
      kSignalsPerSplitting);
  std::vector<Matrix<double>> sums((state.samples + per_task - 1) / per_task);
  const double objective =
      context.sum_blocks(state.samples, per_task, [&](std::int64_t begin, std::int64_t end) {
        Splitting<float> splitting = shared;
        Matrix<float> dual(kSignalsPerSplitting, width), signal(kSignalsPerSplitting, height),
            product(height, width);
        Matrix<double> sum(gradient ? height : 0, width);
        double total = 0;
        for (std::int64_t s = begin; s < end; s += kSignalsPerSplitting) {
          const std::int64_t block = s / kSignalsPerSplitting;
          float* b = state.duals.row(block).data();
          float* x = state.signals.row(block).data();
          const float* y = state.noisy.row(block).data();
          splitting.iterate(y, b, state.iterates.row(block).data(), iterations);
          total += splitting.finish(y, b, x).objective;
          if (!gradient) continue;
          transpose(b, state.rows, dual.data(), width, static_cast<float>(splitting.gamma()));
          transpose(x, state.cols, signal.data(), height, 1);
          kernels::outer_products<float>(signal.data(), height, dual.data(), width, kSignalsPerSplitting,
                                         product.data(), false);
          for (std::int64_t i = 0; i < sum.size(); ++i) sum.data()[i] += product.data()[i];
        }
        sums[begin / per_task] = std::move(sum);
        return total;
      });
  if (gradient) {
    *gradient = Matrix<double>(omega.rows, state.cols);
    for (const Matrix<double>& sum : sums) {
      for (std::int64_t i = 0; i < omega.rows; ++i) {
        for (std::int64_t c = 0; c < state.cols; ++c) (*gradient)(i, c) += sum(c, i);
      }
    }
  }
  return objective;
}

Matrix<float> Envelope::signals() const {
  const State& state = *state_;
  Matrix<float> out(state.samples, state.cols);
  for (std::int64_t s = 0; s < state.samples; ++s) {
    for (std::int64_t c = 0; c < state.cols; ++c) {
      out(s, c) =
          state.signals(s / kSignalsPerSplitting, c * kSignalsPerSplitting + s % kSignalsPerSplitting);
    }
  }
  return out;
}

}  // namespace parsimony::operators
