#include "parsimony/spectral/features.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "parsimony/core/error.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/spectral/chebyshev.hpp"
#include "spectral/panel.hpp"

namespace parsimony::spectral {

void refuse_several_processes(const Operator& op, std::string_view what) {
  if (op.processes().count() == 1) return;
  throw Error(ErrorCode::unsupported, fmt::format("{} needs the graph in one process", what));
}

Matrix<float> gaussian_panel(const Operator& op, std::int64_t first, std::int64_t used, std::int64_t width,
                             double scale, const RandomStream& random, const Context& context) {
  Matrix<float> panel(op.rows(), width);
  const std::int64_t before = first / kMaxPanelWidth * op.all_rows() + op.first_row();
  const auto shift = static_cast<std::uint64_t>(first % kMaxPanelWidth);
  context.for_blocks(op.rows(), kRowsPerFill, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      random.fill_normal(panel.row(i).first(used),
                         static_cast<std::uint64_t>(before + i) * kMaxPanelWidth + shift,
                         static_cast<float>(scale));
    }
  });
  return panel;
}

Matrix<float> random_features(const graph::Laplacian& laplacian, std::span<const double> low_pass,
                              std::int64_t features, std::uint64_t seed, const Context& context) {
  return random_features(LaplacianOperator(laplacian, context), low_pass, features, seed, context);
}

namespace {

// The columns of the range of all `features`.
Matrix<float> filtered_columns(const Operator& op, std::span<const double> low_pass, std::int64_t features,
                               SignalRange range, std::uint64_t seed, const Context& context) {
  const std::int64_t nodes = op.rows();
  const RandomStream random(seed, "features.signals");
  const double scale = 1 / std::sqrt(static_cast<double>(features));
  Matrix<float> out;
  std::int64_t panels = 0, done = 0;
  for_each_panel(range, [&](auto...) { ++panels; });
  for_each_panel(range, [&](std::int64_t first, std::int64_t used, std::int64_t width) {
    Matrix<float> panel = gaussian_panel(op, first, used, width, scale, random, context);
    filter(op, low_pass, panel, context.part("features", done++, panels));
    if (width == range.count) {  // one full panel: it is the result
      out = std::move(panel);
      return;
    }
    if (first == range.first) out = Matrix<float>(nodes, range.count);
    context.for_blocks(nodes, kRowsPerFill, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        std::copy_n(panel.row(i).data(), used, out.row(i).data() + first - range.first);
      }
    });
  });
  return out;
}

}  // namespace

Matrix<float> random_features(const Operator& op, std::span<const double> low_pass, std::int64_t features,
                              std::uint64_t seed, const Context& context) {
  if (features < 1) {
    refuse(fmt::format("features: {} is out of range; must be at least 1", features));
  }
  const SignalGroups* groups = op.signal_groups();
  if (groups == nullptr) return filtered_columns(op, low_pass, features, {0, features}, seed, context);
  const SignalRange own = signals_of_group(groups->own(), groups->count(), features);
  return groups->join(filtered_columns(groups->in_group(), low_pass, features, own, seed, context), features);
}

void normalize_rows(MatrixView<float> rows, const Context& context) {
  context.for_blocks(rows.rows, kRowsPerFill, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      double squares = 0;
      for (const float v : rows.row(i)) squares += static_cast<double>(v) * v;
      if (squares == 0) continue;
      const double factor = 1 / std::sqrt(squares);
      for (float& v : rows.row(i)) v = static_cast<float>(v * factor);
    }
  });
}

}  // namespace parsimony::spectral
