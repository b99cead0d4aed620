#include "quant/codes/error_feedback.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/linear_algebra/decompositions.hpp"
#include "quant/codes/level_table.hpp"

namespace parsimony::quant {
namespace {

constexpr double kDamping = 0.01;
constexpr std::int64_t kOutputsAtOnce = 16;
using Errors = std::array<float, kOutputsAtOnce>;  // errors of one input for several outputs

}  // namespace

Matrix<double> input_moments(const TensorView& input, std::size_t axis, const Context& context) {
  const std::vector<float> values = float32_values(input);
  const std::int64_t channels = input.shape[axis], samples = std::ssize(values) / channels;
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < input.shape.size(); ++i) inner *= input.shape[i];
  constexpr std::int64_t kSamplesAtOnce = 512;
  Eigen::MatrixXd moments = Eigen::MatrixXd::Zero(channels, channels);
  for (std::int64_t first = 0; first < samples; first += kSamplesAtOnce) {
    context.check_cancelled();
    Eigen::MatrixXd block(std::min(kSamplesAtOnce, samples - first), channels);
    for (std::int64_t s = 0; s < block.rows(); ++s) {
      const std::int64_t at = (first + s) / inner * channels * inner + (first + s) % inner;
      for (std::int64_t c = 0; c < channels; ++c) block(s, c) = values[at + c * inner];
    }
    moments.noalias() += block.transpose() * block;
  }
  Matrix<double> out(channels, channels);
  std::copy(moments.data(), moments.data() + moments.size(), out.values().begin());  // symmetric
  return out;
}

ErrorFeedback::ErrorFeedback(const Matrix<double>& moments) {
  const Eigen::Index n = moments.rows();
  double energy = 0;
  for (Eigen::Index i = 0; i < n; ++i) energy += moments(i, i);
  order_.resize(static_cast<std::size_t>(n));
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::int64_t a, std::int64_t b) { return moments(a, a) > moments(b, b); });
  const double mean = energy > 0 ? energy / static_cast<double>(n) : 1;
  const double damping = energy > 0 ? kDamping * mean : 1;
  Eigen::MatrixXd turned(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      turned(i, j) = moments(order_[n - 1 - i], order_[n - 1 - j]) + (i == j ? damping : 0);
    }
  }
  const Eigen::LLT<Eigen::MatrixXd> factor(turned);
  const Eigen::MatrixXd& lower = factor.matrixLLT();
  for (Eigen::Index k = 0; k < n; ++k) {
    std::vector<float>& parts = parts_.emplace_back();
    const Eigen::Index at = n - 1 - k;
    for (Eigen::Index j = 0; j < k; ++j) {
      parts.push_back(static_cast<float>(lower(n - 1 - j, at) / lower(at, at)));
    }
    energies_.push_back(lower(at, at) * lower(at, at) / mean);
  }
}

void ErrorFeedback::apply(const WeightView& weight, QuantizedTensor& tensor, const Context& context) const {
  const std::int64_t outputs = weight.shape[0], n = std::ssize(weight.values) / outputs;
  const std::int64_t group = tensor.group == 0 ? n : tensor.group, groups = groups_of(n, tensor.group);
  std::vector<std::uint16_t> codes = unpack_codes(tensor.packed, tensor.bits, outputs * n);
  const LevelTable table(tensor.levels);
  const double top = (1 << tensor.bits) - 1;
  // The code of the value that is nearest to `wanted`; returns that value.
  const auto encode = [&](float wanted, std::int64_t o, std::int64_t input) {
    const std::size_t at = tensor.scale.size() == 1 ? 0 : o * groups + input / group;
    const float scale = tensor.scale[at];
    std::uint16_t& code = codes[o * n + input];
    if (!tensor.levels.empty()) {
      if (scale != 0) code = static_cast<std::uint16_t>(table.nearest(wanted / scale));
      return tensor.levels[code] * scale;
    }
    const double zero = tensor.zero_point[at];  // far from 0 for values that are
    if (scale != 0) {
      const double level = std::nearbyint(static_cast<double>(wanted) / scale + zero);
      code = static_cast<std::uint16_t>(std::clamp(level, 0.0, top));
    }
    return static_cast<float>(code - zero) * scale;
  };
  context.for_blocks(outputs, kOutputsAtOnce, [&](std::int64_t first, std::int64_t last) {
    std::vector<Errors> errors(static_cast<std::size_t>(n), Errors{});
    for (std::int64_t k = 0; k < n; ++k) {
      const std::int64_t input = order_[k];
      Errors taken{};
      for (std::int64_t j = 0; j < k; ++j) {
        const float part = parts_[k][j];
        for (std::int64_t l = 0; l < kOutputsAtOnce; ++l) taken[l] += part * errors[j][l];
      }
      for (std::int64_t o = first; o < last; ++o) {
        const float value = weight.values[o * n + input];
        errors[k][o - first] = encode(value - taken[o - first], o, input) - value;
      }
    }
  });
  tensor.packed = pack_codes(codes, tensor.bits);
}

double ErrorFeedback::output_error(const WeightView& weight, std::span<const float> decoded) const {
  const std::int64_t outputs = weight.shape[0], n = std::ssize(weight.values) / outputs;
  std::vector<double> errors(static_cast<std::size_t>(n));
  double sum = 0;
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t k = 0; k < n; ++k) {
      const std::int64_t at = o * n + order_[k];
      double term = errors[k] = static_cast<double>(decoded[at]) - weight.values[at];
      for (std::int64_t j = 0; j < k; ++j) term += parts_[k][j] * errors[j];
      sum += energies_[k] * term * term - kDamping * errors[k] * errors[k];
    }
  }
  return sum;
}

}  // namespace parsimony::quant
