#include "cluster/pictures/charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/count_of.hpp"

namespace parsimony::cluster {
namespace {

constexpr Color kMark{0.84, 0.32, 0.42}, kData{0.11, 0.47, 0.58};

void draw_title(Canvas& canvas, const Frame& frame, std::string_view title) {
  canvas.text(frame.left, frame.top - 18, title, 12, kInk);
}

void draw_level(Canvas& canvas, const Frame& frame, double y, const std::string& label) {
  canvas.fill(frame.left, std::round(y), frame.right, std::round(y) + 1, kPale);
  canvas.text(frame.left - 8, y + 5, label, 10, kFaint, Canvas::Align::right);
}

void draw_base(Canvas& canvas, const Frame& frame) {
  canvas.fill(frame.left, frame.bottom, frame.right, frame.bottom + 1, kFaint);
}

// Below the axis; labels that would stand beyond either end are moved inside.
void draw_place(Canvas& canvas, const Frame& frame, double x, const std::string& label, Color color) {
  const double half = Canvas::text_width(label, 10) / 2;
  canvas.text(std::clamp(x, frame.left + half, frame.right - half), frame.bottom + 18, label, 10, color,
              Canvas::Align::middle);
}

void draw_mark(Canvas& canvas, const Frame& frame, double x, const std::string& label) {
  canvas.fill(x - 0.75, frame.top, x + 0.75, frame.bottom, kMark);
  draw_place(canvas, frame, x, label, kMark);
}

// Labels of the ends of the axis, unless the label of the mark is there.
void draw_ends(Canvas& canvas, const Frame& frame, const std::string& low, const std::string& high,
               double mark) {
  if (mark - frame.left > 80) draw_place(canvas, frame, frame.left, low, kFaint);
  if (frame.right - mark > 80) draw_place(canvas, frame, frame.right, high, kFaint);
}

}  // namespace

std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(text.begin() + place, ',');
  }
  return text;
}

std::string grouped(std::int64_t count, std::string_view one) {
  return grouped(count) + ' ' + noun_of(count, one);
}

void draw_bars(Canvas& canvas, const Frame& frame, std::string_view title, const std::vector<double>& values,
               const std::vector<Color>& colors, double limit, const std::string& limit_text) {
  draw_title(canvas, frame, title);
  draw_level(canvas, frame, frame.top, limit_text);
  draw_level(canvas, frame, (frame.top + frame.bottom) / 2, "");
  canvas.text(frame.left - 8, frame.bottom + 1, "0", 10, kFaint, Canvas::Align::right);
  const double step = (frame.right - frame.left) / static_cast<double>(values.size());
  const double gap = step > 6 ? std::min(0.15 * step, 8.0) : 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double left = frame.left + step * static_cast<double>(i);
    const double height = values[i] / limit * (frame.bottom - frame.top);
    canvas.fill(left + gap / 2, frame.bottom - height, left + step - gap / 2, frame.bottom, colors[i]);
  }
  draw_base(canvas, frame);
}

void draw_spectrum(Canvas& canvas, const Frame& frame, const spectral::SpectralDensity& density,
                   double lambda_k) {
  constexpr int kBins = 72;  // the estimate resolves about lambda_max / order, a fiftieth of the spectrum
  std::vector<double> counts(kBins);
  double before = 0;
  for (int b = 0; b < kBins; ++b) {
    const double below = b + 1 < kBins ? density.count(density.lambda_max() * (b + 1) / kBins)
                                       : density.mean_moments().front();
    counts[b] = std::max(0.0, below - before);
    before = std::max(before, below);
  }
  const double decades =
      std::max(1.0, std::ceil(std::log10(std::max(1.0, *std::max_element(counts.begin(), counts.end())))));
  draw_title(canvas, frame, "density of the eigenvalues");
  const double height = frame.bottom - frame.top;
  const int every = height / decades < 22 ? 2 : 1;
  for (int d = 0; d <= static_cast<int>(decades); d += every) {
    draw_level(canvas, frame, frame.bottom - d / decades * height,
               d < 5 ? fmt::format("{:.0f}", std::pow(10, d)) : fmt::format("1e{}", d));
  }
  const double step = (frame.right - frame.left) / kBins;
  const auto place = [&](double lambda) {
    return frame.left + lambda / density.lambda_max() * (frame.right - frame.left);
  };
  for (int b = 0; b < kBins; ++b) {
    const double left = frame.left + step * b, level = std::log10(std::max(1.0, counts[b])) / decades;
    canvas.fill(left, frame.bottom - level * height, left + step - 1, frame.bottom,
                left + step / 2 < place(lambda_k) ? kData : mix(kFaint, {1, 1, 1}, 0.45));
  }
  draw_base(canvas, frame);
  if (lambda_k > 0) draw_mark(canvas, frame, place(lambda_k), fmt::format("\\k = {:.4g}", lambda_k));
  draw_ends(canvas, frame, "0", fmt::format("{:.4g}", density.lambda_max()),
            lambda_k > 0 ? place(lambda_k) : 1e9);
}

void draw_stability(Canvas& canvas, const Frame& frame, const StabilityCurve& curve) {
  draw_title(canvas, frame, "stability of each number of clusters");
  double low = 0, high = 0;
  for (std::size_t i = 0; i < curve.clusters.size(); ++i) {
    low = std::min(low, curve.stability[i] - curve.standard_error[i]);
    high = std::max(high, curve.stability[i] + curve.standard_error[i]);
  }
  high = high <= 0 ? 1 : high > 0.5 && high <= 1 ? 1 : high;
  const auto y = [&](double value) {
    return frame.bottom - (value - low) / (high - low) * (frame.bottom - frame.top);
  };
  // Candidates of a wide range are spread evenly in their logarithm.
  const double first = std::log(static_cast<double>(curve.clusters.front()));
  const double last = std::log(static_cast<double>(curve.clusters.back()));
  const auto x = [&](std::int64_t clusters) {
    const double share =
        last > first ? (std::log(static_cast<double>(clusters)) - first) / (last - first) : 0.5;
    return frame.left + 8 + share * (frame.right - frame.left - 16);
  };
  draw_level(canvas, frame, y(high), fmt::format("{:.2g}", high));
  draw_level(canvas, frame, y(low), fmt::format("{:.2g}", low));
  for (std::size_t i = 0; i < curve.clusters.size(); ++i) {
    const double at = x(curve.clusters[i]), value = y(curve.stability[i]);
    canvas.fill(at - 0.75, y(curve.stability[i] + curve.standard_error[i]), at + 0.75,
                y(curve.stability[i] - curve.standard_error[i]), kFaint);
    if (i > 0) canvas.stroke(x(curve.clusters[i - 1]), y(curve.stability[i - 1]), at, value, 1.5, kData);
    canvas.fill(at - 2.5, value - 2.5, at + 2.5, value + 2.5, kData);
  }
  draw_base(canvas, frame);
  draw_mark(canvas, frame, x(curve.chosen), fmt::format("k = {}", curve.chosen));
  draw_ends(canvas, frame, std::to_string(curve.clusters.front()), std::to_string(curve.clusters.back()),
            x(curve.chosen));
}

}  // namespace parsimony::cluster
