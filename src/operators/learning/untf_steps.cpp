#include "operators/learning/untf_steps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "operators/frames/eigen_map.hpp"
#include "parsimony/operators/frames.hpp"

namespace parsimony::operators {
namespace {

constexpr int kPatience = 30;  // steps without improvement before their length is halved

class Descent {
 public:
  Descent(Matrix<double> omega, const OperatorObjective& objective, const UntfLearningOptions& options,
          const std::function<void(double)>& progress, Report& report)
      : objective_(objective),
        options_(options),
        progress_(progress),
        report_(report),
        norm_(std::sqrt(static_cast<double>(omega.cols()))),
        omega_(std::move(omega)) {}

  Matrix<double> run() {
    look();
    if (options_.steps == StepRule::backtracking) {
      backtrack();
    } else {
      explore();
      refine();
    }
    report_.figures.emplace_back("stopped", std::string(reason_));
    report_.figures.emplace_back("best_iteration", best_at_);
    return std::move(best_);
  }

 private:
  // The objective and the subgradient at the current operator.
  void look() {
    value_ = objective_(omega_, gradient_);
    report_.objective_history.push_back(value_);
    if (value_ < least_) {
      least_ = value_;
      best_ = omega_;
      best_gradient_ = gradient_;
      best_at_ = report_.iterations;
    }
  }

  Matrix<double> stepped(const Matrix<double>& from, const Matrix<double>& gradient, double length) const {
    Matrix<double> to = from;
    const double scale = length * norm_ / as_eigen(gradient.view()).norm();
    for (std::int64_t i = 0; i < to.size(); ++i) to.data()[i] -= scale * gradient.data()[i];
    project_untf(to, {.max_iterations = options_.projections,
                      .tolerance = 1e-12,
                      .exact = false,
                      .seed = options_.seed + static_cast<std::uint64_t>(report_.iterations)});
    return to;
  }

  void step(double length) {
    omega_ = stepped(omega_, gradient_, length);
    ++report_.iterations;
    look();
  }

  bool ended() {
    if (as_eigen(gradient_.view()).squaredNorm() == 0) {
      report_.status = Status::converged;
      reason_ = "zero subgradient";
      return true;
    }
    if (report_.iterations < options_.max_steps) return false;
    report_.status = Status::iteration_limit;
    reason_ = "iteration limit";
    return true;
  }

  void explore() {
    length_ = options_.first_step;
    for (int k = 0; k < options_.exploration && !ended(); ++k) {
      progress_(0.9 * k / options_.exploration);
      length_ = options_.first_step / (1 + static_cast<double>(k) / options_.half_life);
      step(length_);
    }
  }

  void refine() {
    const double first = length_;
    int since = kPatience;
    while (!ended()) {
      if (since == kPatience) {
        since = 0;
        length_ /= 2;
        omega_ = best_;
        gradient_ = best_gradient_;
        if (finished(length_)) return;
        progress_(0.9 +
                  0.1 * std::log(length_ / first) / std::log(std::min(0.5, options_.step_tolerance / first)));
      }
      const double before = least_;
      step(length_);
      since = least_ < before ? 0 : since + 1;
    }
  }

  void backtrack() {
    length_ = options_.first_step;
    while (!ended()) {
      progress_(static_cast<double>(report_.iterations) / options_.max_steps);
      const Matrix<double> from = omega_, along = gradient_;
      const double value = value_;
      for (;; length_ /= 2) {
        if (finished(length_)) return;
        omega_ = stepped(from, along, length_);
        value_ = objective_(omega_, gradient_);
        if (value_ <= value) break;
      }
      ++report_.iterations;
      report_.objective_history.push_back(value_);
      best_ = omega_;
      best_at_ = report_.iterations;
      const double moved = (as_eigen(omega_.view()) - as_eigen(from.view())).norm();
      if (finished(moved / norm_)) return;
      length_ *= 2;
    }
  }

  bool finished(double length) {
    if (length > options_.step_tolerance && length > 1e-15) return false;
    report_.status = Status::converged;
    reason_ = "short steps";
    return true;
  }

  const OperatorObjective& objective_;
  const UntfLearningOptions& options_;
  const std::function<void(double)>& progress_;
  Report& report_;
  double norm_;
  Matrix<double> omega_, gradient_, best_, best_gradient_;
  double value_ = 0, length_ = 0, least_ = std::numeric_limits<double>::infinity();
  std::int64_t best_at_ = 0;
  const char* reason_ = "";
};

}  // namespace

Matrix<double> descend(Matrix<double> omega, const OperatorObjective& objective,
                       const UntfLearningOptions& options, const std::function<void(double)>& progress,
                       Report& report) {
  return Descent(std::move(omega), objective, options, progress, report).run();
}

}  // namespace parsimony::operators
