#include "images/energy/patch_analysis.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/count_of.hpp"
#include "operators/frames/unit_rows.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::images {
namespace {

constexpr std::int64_t kMostColumns = 384;  // longest strip: coefficients of 128 filters fit in the cache
constexpr std::int64_t kRowsPerBlock = 16;

// The pixel, of `extent`, that each padded position repeats.
std::vector<std::int64_t> places(std::int64_t extent, std::int64_t after) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < extent + after; ++i) out.push_back(i % extent);
  return out;
}

}  // namespace

kernels::FilterBank patch_filters(MatrixView<const double> omega) {
  const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(omega.cols))));
  if (omega.rows < 1 || side < 2 || side > kernels::kMaxFilterSide || side * side != omega.cols) {
    refuse(fmt::format("operator: {} of {} are not square patches of 2 × 2 to {} × {} pixels",
                       count_of(omega.rows, "row"), count_of(omega.cols, "value"), kernels::kMaxFilterSide,
                       kernels::kMaxFilterSide));
  }
  const Matrix<double> unit = operators::unit_rows(omega);
  const std::vector<float> rows(unit.values().begin(), unit.values().end());
  return {rows.data(), omega.rows, side};
}

PatchAnalysis::PatchAnalysis(const kernels::FilterBank& bank, std::int64_t height, std::int64_t width,
                             Border border, const Context& context)
    : bank_(bank), context_(context), side_(bank.side()), height_(height), width_(width) {
  const std::int64_t after = border == Border::periodic ? side_ - 1 : 0;
  row_of_ = places(height, after);
  column_of_ = places(width, after);
  padded_height_ = height + after;
  padded_width_ = width + after;
  const std::int64_t strips = (cols() + kMostColumns - 1) / kMostColumns;
  strip_columns_ = (cols() + strips - 1) / strips;
  padded_ = Matrix<float>(padded_height_, padded_width_);
  partials_ = Matrix<float>((rows() + kBandRows - 1) / kBandRows, (kBandRows + side_ - 1) * padded_width_);
}

void PatchAnalysis::correlate(const CoefficientStrip& strip) const {
  bank_.correlate(padded_.row(strip.row).data() + strip.column, padded_width_, strip.columns, strip.values,
                  strip.stride);
  if (strip.columns == strip_columns_) return;
  for (std::int64_t i = 0; i < strip.filters; ++i) {  // clears the values of the longer strip before
    std::fill(strip.values + i * strip.stride + strip.columns,
              strip.values + i * strip.stride + strip_columns_, 0.0f);
  }
}

void PatchAnalysis::pad(MatrixView<const float> image) {
  context_.for_blocks(padded_height_, kRowsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t y = begin; y < end; ++y) {
      const float* from = image.row_data(row_of_[y]);
      float* to = padded_.row(y).data();
      for (std::int64_t x = 0; x < padded_width_; ++x) to[x] = from[column_of_[x]];
    }
  });
}

void PatchAnalysis::fold(MatrixView<float> adjoint) const {
  std::vector<std::vector<std::int64_t>> rows_of(static_cast<std::size_t>(height_));
  for (std::int64_t y = 0; y < padded_height_; ++y) rows_of[row_of_[y]].push_back(y);
  context_.for_blocks(height_, kRowsPerBlock, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> sum(static_cast<std::size_t>(padded_width_));
    for (std::int64_t y = begin; y < end; ++y) {
      std::fill(sum.begin(), sum.end(), 0.0f);
      for (const std::int64_t padded : rows_of[y]) {
        // A band reaches this row if its first row is at most kBandRows + side - 2 above it.
        const std::int64_t last = std::min(padded / kBandRows, partials_.rows() - 1);
        for (std::int64_t band = std::max<std::int64_t>(0, (padded - side_ + 1) / kBandRows); band <= last;
             ++band) {
          const std::int64_t within = padded - band * kBandRows;
          if (within >= kBandRows + side_ - 1) continue;
          const float* part = partials_.row(band).data() + within * padded_width_;
          for (std::int64_t x = 0; x < padded_width_; ++x) sum[x] += part[x];
        }
      }
      float* out = adjoint.row_data(y);
      std::fill_n(out, width_, 0.0f);
      for (std::int64_t x = 0; x < padded_width_; ++x) out[column_of_[x]] += sum[x];
    }
  });
}

}  // namespace parsimony::images
