// Limited-memory BFGS [nocedal1980updating] with a backtracking line search, for vectors of any length.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::operators {

struct LbfgsOptions {
  int memory = 10;  ///< pairs of steps and changes of the gradient that are kept, at least 1
  int max_iterations = 100;
  /// Stop when an iteration lowered the objective, or the quadratic model promises to, by less than this
  /// fraction of its size
  double tolerance = 1e-9;
  double gradient_tolerance = 1e-7;  ///< stop at this fraction of the norm of the first gradient
  double first_step = 1;             ///< along the first gradient, in its units: x - first_step · gradient
  int max_trials = 25;               ///< trials of a line search, each at most half as long as the one before
  std::string_view stage = {};       ///< name of the stage to report progress for; empty: none
};

enum class LbfgsStop {
  gradient,         ///< the gradient is as small as asked for
  decrease,         ///< the objective falls no more than asked for
  iteration_limit,  ///< max_iterations were done
  no_descent        ///< no step along the gradient lowers the objective: rounding, or a wrong gradient
};

constexpr auto names_of(LbfgsStop) {
  using enum LbfgsStop;
  return enum_names<LbfgsStop>({{gradient, "gradient"},
                                {decrease, "decrease"},
                                {iteration_limit, "iteration_limit"},
                                {no_descent, "no_descent"}});
}

struct LbfgsResult {
  LbfgsStop stop = LbfgsStop::iteration_limit;
  int iterations = 0;
  std::int64_t evaluations = 0;
  std::vector<double> history;  ///< the objective at the start and after each iteration, non-increasing
  double gradient_norm = 0;     ///< at the end
};

/// Minimises the objective from x, in place. objective(std::span<const T> x, std::span<T> gradient) returns
/// the value and writes the gradient; a value that is not finite makes the line search take a shorter step.
///
/// The line search asks for sufficient decrease only (Armijo, 1e-4). Its trials are the minima of parabolas,
/// kept between a tenth and a half of the step before. Pairs without positive curvature are dropped. Inner
/// products are float64 sums over fixed blocks, so the result is the same for any number of threads if the
/// objective is.
///
/// O(memory · n) per iteration beside the objective, (2 · memory + 4) · n values of memory. Throws cancelled.
template <class T, class Objective>
LbfgsResult lbfgs(std::span<T> x, Objective&& objective, const LbfgsOptions& options, const Context& context);

namespace detail {

// The vector operations of the recursion, each in one pass over memory.
template <class T>
class Vectors {
 public:
  Vectors(std::int64_t length, const Context& context) : length_(length), context_(context) {}

  double dot(const T* a, const T* b) const {
    return sum([=](std::int64_t i) { return static_cast<double>(a[i]) * static_cast<double>(b[i]); });
  }

  // a += factor · b, then <a, c>.
  double add_and_dot(T* a, double factor, const T* b, const T* c) const {
    const auto scale = static_cast<T>(factor);
    return sum([=](std::int64_t i) {
      a[i] += scale * b[i];
      return static_cast<double>(a[i]) * static_cast<double>(c[i]);
    });
  }

  // out = a + factor · b
  void add(T* out, const T* a, double factor, const T* b) const {
    const auto scale = static_cast<T>(factor);
    for_each([=](std::int64_t i) { out[i] = a[i] + scale * b[i]; });
  }

  void scale(T* a, double factor) const {
    const auto scale = static_cast<T>(factor);
    for_each([=](std::int64_t i) { a[i] *= scale; });
  }

 private:
  static constexpr std::int64_t kBlock = 1 << 15;
  static constexpr std::int64_t kSums = 8;  // side by side, for the vector units

  template <class Term>
  double sum(const Term& term) const {
    const auto part = [&](std::int64_t begin, std::int64_t end) {
      std::array<double, kSums> sums{};
      std::int64_t i = begin;
      for (; i + kSums <= end; i += kSums) {
        for (std::int64_t s = 0; s < kSums; ++s) sums[s] += term(i + s);
      }
      for (; i < end; ++i) sums[i % kSums] += term(i);
      return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    };
    return length_ <= kBlock ? part(0, length_) : context_.sum_blocks(length_, kBlock, part);
  }

  template <class Body>
  void for_each(const Body& body) const {
    const auto part = [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) body(i);
    };
    length_ <= kBlock ? part(0, length_) : context_.for_blocks(length_, kBlock, part);
  }

  std::int64_t length_;
  const Context& context_;
};

// The last pairs of steps s and changes of the gradient y.
template <class T>
class Pairs {
 public:
  Pairs(std::int64_t memory, std::int64_t length) : steps_(memory, length), changes_(memory, length) {}

  std::int64_t count() const { return count_; }
  void forget() { count_ = 0; }

  void add(const Vectors<T>& vectors, double step, const T* direction, const T* before, const T* after) {
    const std::int64_t slot = next_ % steps_.rows();
    T *s = steps_.row(slot).data(), *y = changes_.row(slot).data();
    std::fill_n(s, steps_.cols(), T{});
    vectors.add(s, s, step, direction);
    vectors.add(y, after, -1, before);
    const double curvature = vectors.dot(s, y), squares = vectors.dot(y, y);
    if (!(curvature > 1e-8 * std::sqrt(squares * vectors.dot(s, s)))) {
      if (count_ == steps_.rows()) --count_;  // the oldest was overwritten
      return;
    }
    ++next_;
    count_ = std::min(count_ + 1, steps_.rows());
    inverse_.resize(steps_.rows());
    inverse_[slot] = 1 / curvature;
    scale_ = curvature / squares;
  }

  // Takes direction = -gradient and replaces it by the quasi-Newton direction; count() > 0.
  void apply(const Vectors<T>& vectors, T* direction) const {
    std::vector<double> factors(count_);
    const auto slot = [&](std::int64_t age) { return (next_ - 1 - age) % steps_.rows(); };
    double product = vectors.dot(direction, steps_.row(slot(0)).data());
    for (std::int64_t age = 0; age < count_; ++age) {
      factors[age] = inverse_[slot(age)] * product;
      const std::int64_t older = std::min(age + 1, count_ - 1);
      product = vectors.add_and_dot(direction, -factors[age], changes_.row(slot(age)).data(),
                                    steps_.row(slot(older)).data());
    }
    vectors.scale(direction, scale_);
    product = vectors.dot(direction, changes_.row(slot(count_ - 1)).data());
    for (std::int64_t age = count_ - 1; age >= 0; --age) {
      const double factor = factors[age] - inverse_[slot(age)] * product;
      product = vectors.add_and_dot(direction, factor, steps_.row(slot(age)).data(),
                                    changes_.row(slot(std::max<std::int64_t>(age - 1, 0))).data());
    }
  }

 private:
  Matrix<T> steps_, changes_;
  std::vector<double> inverse_;  // 1 / <s, y>
  double scale_ = 1;
  std::int64_t next_ = 0, count_ = 0;
};

}  // namespace detail

template <class T, class Objective>
LbfgsResult lbfgs(std::span<T> x, Objective&& objective, const LbfgsOptions& options,
                  const Context& context) {
  constexpr double kSufficient = 1e-4;
  const auto length = static_cast<std::int64_t>(x.size());
  const detail::Vectors<T> vectors(length, context);
  detail::Pairs<T> pairs(std::max(1, options.memory), length);
  Matrix<T> gradient(1, length), direction(1, length), trial(1, length), trial_gradient(1, length);
  const auto evaluate = [&](std::span<const T> at, Matrix<T>& out) { return objective(at, out.values()); };

  LbfgsResult result;
  double value = evaluate(x, gradient);
  result.evaluations = 1;
  result.history.push_back(value);
  double squares = vectors.dot(gradient.data(), gradient.data());
  const double first_norm = std::sqrt(squares);

  while (true) {
    result.gradient_norm = std::sqrt(squares);
    if (result.gradient_norm == 0 ||
        (result.iterations > 0 && result.gradient_norm <= options.gradient_tolerance * first_norm)) {
      result.stop = LbfgsStop::gradient;
      break;
    }
    if (result.iterations >= options.max_iterations) break;
    context.check_cancelled();

    std::copy_n(gradient.data(), length, direction.data());
    vectors.scale(direction.data(), -1);
    double slope = -squares;
    if (pairs.count() > 0) {
      pairs.apply(vectors, direction.data());
      slope = vectors.dot(gradient.data(), direction.data());
      if (!(slope < 0)) {
        pairs.forget();
        continue;
      }
      if (-slope <= options.tolerance * std::abs(value)) {
        result.stop = LbfgsStop::decrease;
        break;
      }
    }

    double step = pairs.count() > 0 ? 1 : options.first_step, found = 0;
    bool accepted = false;
    for (int tries = 0; tries < options.max_trials && !accepted; ++tries) {
      vectors.add(trial.data(), x.data(), step, direction.data());
      found = evaluate(trial.values(), trial_gradient);
      ++result.evaluations;
      accepted = std::isfinite(found) && found < value && found <= value + kSufficient * step * slope;
      if (!accepted) {
        const double above =
            found - value - step * slope;  // how far the parabola lies above the tangent at the trial
        const double shorter = std::isfinite(above) && above > 0 ? -slope * step / (2 * above) : 0.5;
        step *= std::clamp(shorter, 0.1, 0.5);
      }
    }
    if (!accepted) {
      if (pairs.count() > 0) {  // try once more along the gradient
        pairs.forget();
        continue;
      }
      result.stop = LbfgsStop::no_descent;
      break;
    }

    pairs.add(vectors, step, direction.data(), gradient.data(), trial_gradient.data());
    std::copy_n(trial.data(), length, x.data());
    std::swap(gradient, trial_gradient);
    squares = vectors.dot(gradient.data(), gradient.data());
    const double fallen = value - found;
    value = found;
    ++result.iterations;
    result.history.push_back(value);
    if (!options.stage.empty()) {
      context.progress(options.stage, result.iterations, options.max_iterations);
    }
    if (fallen <= options.tolerance * std::abs(value)) {
      result.gradient_norm = std::sqrt(squares);
      result.stop = LbfgsStop::decrease;
      break;
    }
  }
  return result;
}

}  // namespace parsimony::operators
