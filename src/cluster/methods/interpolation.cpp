#include "parsimony/cluster/interpolation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cluster/methods/columns.hpp"
#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "spectral/panel.hpp"

namespace parsimony::cluster {
namespace {

// y ← y · scale_c + x · factor_c, column by column.
void combine(MatrixView<float> y, const Columns& scale, MatrixView<const float> x, const Columns& factor,
             const Context& context) {
  context.for_blocks(y.rows, kRowsPerColumnBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t c = 0; c < y.cols; ++c) {
        y(i, c) = static_cast<float>(y(i, c) * scale[c] + x(i, c) * factor[c]);
      }
    }
  });
}

}  // namespace

InterpolationResult interpolate(const graph::Laplacian& laplacian, std::span<const double> high_pass,
                                std::span<const std::int32_t> sample, MatrixView<const float> values,
                                MatrixView<float> out, const InterpolationOptions& options,
                                const Context& context) {
  return interpolate(spectral::LaplacianOperator(laplacian, context), high_pass, sample, values, out, options,
                     context);
}

InterpolationResult interpolate(const spectral::Operator& op, std::span<const double> high_pass,
                                std::span<const std::int32_t> sample, MatrixView<const float> values,
                                MatrixView<float> out, const InterpolationOptions& options,
                                const Context& context) {
  validate_fields(options);
  spectral::refuse_several_processes(op, "interpolation of labels");
  const std::int64_t nodes = op.rows(), width = values.cols;
  if (values.rows != std::ssize(sample) || out.rows != nodes || out.cols != width || out.stride != width) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("interpolation: {} × {} values and an output of {} × {}; for {} sampled of {} "
                            "they must be {} × w and, contiguous, {} × w",
                            values.rows, width, out.rows, out.cols, sample.size(), count_of(nodes, "node"),
                            sample.size(), nodes));
  }
  for (const std::int32_t node : sample) {
    if (node < 0 || node >= nodes) {
      refuse(fmt::format("sample: node {} is out of range; must be 0 to {}", node, nodes - 1));
    }
  }
  std::vector<double> penalty(high_pass.begin(), high_pass.end());
  for (double& c : penalty) c *= options.gamma;

  // From c = 0: the residual and the first direction are Mᵀ v.
  Matrix<float> residual(nodes, width), image(nodes, width);
  for (std::size_t s = 0; s < sample.size(); ++s) {
    std::copy_n(values.row_data(static_cast<std::int64_t>(s)), width, residual.row(sample[s]).data());
  }
  Matrix<float> direction = residual;
  std::fill_n(out.data, nodes * width, 0.0f);
  const Columns ones(width, 1.0);
  const Columns start = inner_products(residual, residual, context);
  Columns energy = start;

  Context quiet = context;  // progress counts iterations, not the steps of their filters
  quiet.on_progress = nullptr;
  InterpolationResult result;
  const auto relative = [&](std::int64_t c) { return start[c] > 0 ? std::sqrt(energy[c] / start[c]) : 0.0; };
  const auto done = [&] {
    result.worst_residual = 0;
    for (std::int64_t c = 0; c < width; ++c)
      result.worst_residual = std::max(result.worst_residual, relative(c));
    return result.worst_residual <= options.tolerance;
  };
  while (!done() && result.iterations < options.max_iterations) {
    std::copy_n(direction.data(), direction.size(), image.data());
    spectral::filter(op, penalty, image, quiet);
    context.progress("interpolation", result.iterations, options.max_iterations);
    for (const std::int32_t node : sample) {
      for (std::int64_t c = 0; c < width; ++c) image(node, c) += direction(node, c);
    }
    const Columns curvature = inner_products(direction, image, context);
    Columns step(width), back(width), turn(width);
    for (std::int64_t c = 0; c < width; ++c) {
      // A converged column stays as it is: more steps would only change its rounding errors.
      const bool moves = relative(c) > options.tolerance && curvature[c] > 0;
      step[c] = moves ? energy[c] / curvature[c] : 0;
      back[c] = -step[c];
    }
    combine(out, ones, direction, step, context);
    combine(residual, ones, image, back, context);
    const Columns next = inner_products(residual, residual, context);
    for (std::int64_t c = 0; c < width; ++c) turn[c] = energy[c] > 0 ? next[c] / energy[c] : 0;
    combine(direction, turn, residual, ones, context);
    energy = next;
    ++result.iterations;
  }
  context.progress("interpolation", options.max_iterations, options.max_iterations);
  result.converged = result.worst_residual <= options.tolerance;
  return result;
}

}  // namespace parsimony::cluster
