#include "images/flow/flow_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "images/flow/flow_file.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::images {
namespace {

// Positions of a strip: long enough for the kernels, short enough for its coefficients to stay in the cache.
constexpr std::int64_t kStrip = 704;
constexpr std::int64_t kLongestStrip = 1024;

// Coefficients of one strip, with the margins that the adjoint needs.
struct Coefficients {
  Coefficients(std::int64_t filters, std::int64_t columns)
      : values(1, kernels::kFilterMargin + filters * (columns + kernels::kFilterMargin)),
        stride(columns + kernels::kFilterMargin) {}
  float* row(std::int64_t i) { return values.data() + kernels::kFilterMargin + i * stride; }

  Matrix<float> values;
  std::int64_t stride;
};

// Strips of whole rows. Positions that wrap lie between the last of a row and the first of the next.
struct Strips {
  Strips(std::int64_t width, std::int64_t stride_, std::int64_t side)
      : positions(width - side + 1), stride(stride_), rows(std::max<std::int64_t>(1, kStrip / stride)) {}

  std::int64_t columns(std::int64_t count) const { return (count - 1) * stride + positions; }
  void clear_wrapped(float* coefficients, std::int64_t count) const {
    for (std::int64_t y = 0; y + 1 < count; ++y) {
      std::fill(coefficients + y * stride + positions, coefficients + (y + 1) * stride, 0.0f);
    }
  }

  std::int64_t positions, stride, rows;
};

// The state of one image on its way through the steps.
class Pass {
 public:
  Pass(const std::vector<FlowStep>& steps, MatrixView<const float> noisy)
      : steps_(steps),
        height_(noisy.rows),
        width_(noisy.cols),
        pixels_(height_ * width_),
        side_(steps.front().bank.side()),
        filters_(steps.front().bank.filters()),
        strips_(width_, width_, side_) {
    states_.assign(steps.size() + 1, std::vector<float>(pixels_));
    gradients_.assign(steps.size(), std::vector<float>(pixels_));
    std::copy_n(noisy.data, pixels_, states_[0].data());
  }

  const std::vector<float>& run() {
    for (std::size_t s = 0; s < steps_.size(); ++s) {
      const FlowStep& step = steps_[s];
      const std::vector<float>&noisy = states_[0], &x = states_[s], &earlier = states_[s == 0 ? 0 : s - 1];
      std::vector<float>&g = gradients_[s], &next = states_[s + 1];
      add_penalty_gradient(step, x.data(), width_, width_, height_ - side_ + 1, g.data());
      for (std::int64_t k = 0; k < pixels_; ++k) {
        g[k] += x[k] - noisy[k];
        next[k] = x[k] - step.rate * g[k] + step.momentum * (x[k] - earlier[k]);
      }
    }
    return states_.back();
  }

  // by: the derivative of the loss with respect to the last state.
  void run_backward(std::vector<float> by, std::vector<FlowStepGradient>& out) {
    out.resize(steps_.size());
    std::vector<float> by_earlier(pixels_), covector(pixels_), by_gradient(pixels_);
    for (std::size_t s = steps_.size(); s-- > 0;) {
      const FlowStep& step = steps_[s];
      const std::vector<float>&x = states_[s], &earlier = states_[s == 0 ? 0 : s - 1], &g = gradients_[s];
      double rate = 0, momentum = 0;
      for (std::int64_t k = 0; k < pixels_; ++k) {
        rate -= static_cast<double>(by[k]) * g[k];
        momentum += static_cast<double>(by[k]) * (x[k] - earlier[k]);
        covector[k] = -step.rate * by[k];
        by_gradient[k] = covector[k];
      }
      out[s].rate = rate;
      out[s].momentum = momentum;
      penalty_backward(step, x, covector, by_gradient, out[s]);
      for (std::int64_t k = 0; k < pixels_; ++k) {
        const float from_momentum = step.momentum * by[k];
        by[k] = by_earlier[k] + by[k] + from_momentum + by_gradient[k];
        by_earlier[k] = -from_momentum;
      }
    }
  }

 private:
  // For a covector c: adds to by_state the derivative of <c, Σ Wᵀ influence(W x)> with respect to x, and
  // those with respect to W and ln θ.
  void penalty_backward(const FlowStep& step, const std::vector<float>& x, const std::vector<float>& covector,
                        std::vector<float>& by_state, FlowStepGradient& out) const {
    const std::int64_t taps = side_ * side_, rows = height_ - side_ + 1;
    Matrix<float> filters(filters_, taps);
    out.weights.assign(filters_, {});
    const std::int64_t most = strips_.columns(std::min(rows, strips_.rows));
    Coefficients r(filters_, most), tangent(filters_, most);
    for (std::int64_t y = 0; y < rows; y += strips_.rows) {
      const std::int64_t count = std::min(strips_.rows, rows - y), columns = strips_.columns(count);
      const std::int64_t at = y * width_;
      if (columns < most) r = tangent = Coefficients(filters_, columns);
      step.bank.correlate(x.data() + at, width_, columns, r.row(0), r.stride);
      step.bank.correlate(covector.data() + at, width_, columns, tangent.row(0), tangent.stride);
      for (std::int64_t i = 0; i < filters_; ++i) {
        strips_.clear_wrapped(r.row(i), count);
        strips_.clear_wrapped(tangent.row(i), count);
        const auto by_weights =
            kernels::lorentzian_backward(r.row(i), tangent.row(i), columns, step.weights[i]);
        for (std::size_t k = 0; k < by_weights.size(); ++k) out.weights[i][k] += by_weights[k];
      }
      step.bank.adjoint(tangent.row(0), tangent.stride, columns, by_state.data() + at, width_);
      kernels::filter_gradient(r.row(0), r.stride, filters_, covector.data() + at, width_, side_, columns,
                               filters.data());
      kernels::filter_gradient(tangent.row(0), tangent.stride, filters_, x.data() + at, width_, side_,
                               columns, filters.data());
    }
    out.filters = Matrix<double>(filters_, taps);
    std::copy(filters.values().begin(), filters.values().end(), out.filters.data());
  }

  const std::vector<FlowStep>& steps_;
  std::int64_t height_, width_, pixels_, side_, filters_;
  Strips strips_;
  std::vector<std::vector<float>> states_, gradients_;
};

}  // namespace

void check_one_energy(const UnrolledFlow& flow, const std::string& name) {
  const auto fail = [&](std::string_view what) {
    refuse(fmt::format("{}: {}; an operator has one energy", name, what));
  };
  const auto differ = [](std::span<const double> values) {
    return std::ranges::any_of(values, [&](double value) { return value != values[0]; });
  };
  if (!flow.shared()) fail("every step has filters of its own");
  for (std::int64_t i = 0; i < flow.filters(); ++i) {
    const auto row = flow.mixing.row(i);
    const double squares = std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
    if (std::abs(squares - 1) > 1e-6) fail(fmt::format("row {} of the mixing has a norm other than 1", i));
  }
  if (differ(flow.log_step_scales) || differ(flow.log_scales.values())) fail("scales differ");
  if (differ(flow.log_weights.values())) fail("weights differ");
  if (std::ranges::any_of(flow.tails.values(), [](double value) { return value != 0; })) fail("it has tails");
}

Matrix<double> mixed_filters(const UnrolledFlow& flow) {
  const Matrix<double> basis = zero_mean_dct(flow.side);
  Matrix<double> mixed(flow.mixing.rows(), basis.cols());
  for (std::int64_t i = 0; i < mixed.rows(); ++i) {
    for (std::int64_t j = 0; j < basis.rows(); ++j) {
      for (std::int64_t t = 0; t < mixed.cols(); ++t) mixed(i, t) += flow.mixing(i, j) * basis(j, t);
    }
  }
  return mixed;
}

std::vector<FlowStep> flow_steps(const UnrolledFlow& flow) {
  const std::int64_t filters = flow.filters(), taps = flow.side * flow.side;
  const Matrix<double> mixed = mixed_filters(flow);
  std::vector<FlowStep> steps(flow.steps());
  for (std::int64_t s = 0; s < flow.steps(); ++s) {
    FlowStep& step = steps[s];
    const std::int64_t first = flow.shared() ? 0 : s * filters;
    step.filters = Matrix<float>(filters, taps);
    step.weights.resize(filters);
    for (std::int64_t i = 0; i < filters; ++i) {
      const double scale = std::exp(flow.log_step_scales[s] + flow.log_scales(s, i));
      for (std::int64_t t = 0; t < taps; ++t)
        step.filters(i, t) = static_cast<float>(scale * mixed(first + i, t));
      const double weight = std::exp(flow.log_weights(s, i));
      step.weights[i] = {static_cast<float>(weight), static_cast<float>(weight * flow.tails(s, 2 * i)),
                         static_cast<float>(weight * flow.tails(s, 2 * i + 1))};
    }
    step.rate = static_cast<float>(std::exp(flow.log_rates[s]));
    step.momentum = static_cast<float>(flow.momenta[s]);
    step.bank = kernels::FilterBank(step.filters.data(), filters, flow.side);
  }
  return steps;
}

void add_penalty_gradient(const FlowStep& step, const float* image, std::int64_t width, std::int64_t stride,
                          std::int64_t rows, float* adjoint) {
  const Strips strips(width, stride, step.bank.side());
  const std::int64_t filters = step.bank.filters();
  // Rows longer than a strip are cut into pieces of nearly equal length.
  const std::int64_t pieces = (strips.positions + kLongestStrip - 1) / kLongestStrip;
  const std::int64_t piece = pieces == 1 ? strips.positions : (strips.positions / pieces + 31) / 32 * 32;
  Coefficients r(filters, 0);
  for (std::int64_t y = 0; y < rows; y += strips.rows) {
    const std::int64_t count = std::min(strips.rows, rows - y);
    for (std::int64_t x = 0; x < strips.positions; x += piece) {
      const std::int64_t columns =
          pieces == 1 ? strips.columns(count) : std::min(piece, strips.positions - x);
      if (columns + kernels::kFilterMargin != r.stride) r = Coefficients(filters, columns);
      const std::int64_t at = y * stride + x;
      step.bank.correlate(image + at, stride, columns, r.row(0), r.stride);
      for (std::int64_t i = 0; i < filters; ++i) {
        kernels::lorentzian_influence(r.row(i), columns, step.weights[i]);
        if (pieces == 1) strips.clear_wrapped(r.row(i), count);
      }
      step.bank.adjoint(r.row(0), r.stride, columns, adjoint + at, stride);
    }
  }
}

double flow_loss(const std::vector<FlowStep>& steps, MatrixView<const float> noisy,
                 MatrixView<const float> clean, std::int64_t margin,
                 std::vector<FlowStepGradient>* gradient) {
  Pass pass(steps, noisy);
  const std::vector<float>& found = pass.run();
  double sum = 0;
  std::vector<float> by(found.size());
  for (std::int64_t y = margin; y < noisy.rows - margin; ++y) {
    for (std::int64_t x = margin; x < noisy.cols - margin; ++x) {
      const float error = found[y * noisy.cols + x] - clean(y, x);
      by[y * noisy.cols + x] = error;
      sum += static_cast<double>(error) * error;
    }
  }
  if (gradient) {
    const auto scale = static_cast<float>(2 / sum);
    for (float& value : by) value *= scale;
    pass.run_backward(std::move(by), *gradient);
  }
  return std::log(sum / static_cast<double>((noisy.rows - 2 * margin) * (noisy.cols - 2 * margin)));
}

UnrolledFlow flow_gradient(const UnrolledFlow& flow, const std::vector<FlowStep>& steps,
                           const std::vector<std::vector<FlowStepGradient>>& parts) {
  UnrolledFlow out = zero_like(flow);
  const Matrix<double> basis = zero_mean_dct(flow.side);
  const std::int64_t taps = basis.cols();
  const double share = 1 / static_cast<double>(parts.size());
  Matrix<double> by_mixed(flow.mixing.rows(), taps);  // by B Φ
  for (std::int64_t s = 0; s < flow.steps(); ++s) {
    const std::int64_t first = flow.shared() ? 0 : s * flow.filters();
    for (const std::vector<FlowStepGradient>& part : parts) {
      const FlowStepGradient& by = part[s];
      out.log_rates[s] += share * by.rate * steps[s].rate;
      out.momenta[s] += share * by.momentum;
      for (std::int64_t i = 0; i < flow.filters(); ++i) {
        const double scale = std::exp(flow.log_step_scales[s] + flow.log_scales(s, i));
        double by_log_scale = 0;
        for (std::int64_t t = 0; t < taps; ++t) {
          by_log_scale += share * by.filters(i, t) * steps[s].filters(i, t);
          by_mixed(first + i, t) += share * scale * by.filters(i, t);
        }
        out.log_scales(s, i) += by_log_scale;
        out.log_step_scales[s] += by_log_scale;
        const std::array<double, 3>& by_weights = by.weights[i];
        const double weight = share * std::exp(flow.log_weights(s, i));
        out.log_weights(s, i) += weight * (by_weights[0] + flow.tails(s, 2 * i) * by_weights[1] +
                                           flow.tails(s, 2 * i + 1) * by_weights[2]);
        out.tails(s, 2 * i) += weight * by_weights[1];
        out.tails(s, 2 * i + 1) += weight * by_weights[2];
      }
    }
  }
  for (std::int64_t i = 0; i < out.mixing.rows(); ++i) {
    for (std::int64_t j = 0; j < basis.rows(); ++j) {
      for (std::int64_t t = 0; t < taps; ++t) out.mixing(i, j) += by_mixed(i, t) * basis(j, t);
    }
  }
  return out;
}

}  // namespace parsimony::images
