// The small charts beside the matrix of a picture.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/pictures/canvas.hpp"
#include "parsimony/cluster/picture.hpp"
#include "parsimony/spectral/density.hpp"

namespace parsimony::cluster {

inline constexpr int kPictureWidth = 1200, kPictureHeight = 800;
inline constexpr Color kInk{0.13, 0.15, 0.18}, kFaint{0.45, 0.48, 0.52}, kPale{0.86, 0.87, 0.89};

/// The number with commas between its thousands.
std::string grouped(std::int64_t number);
/// "1,500 nodes": the count with its noun, whose plural ends in s.
std::string grouped(std::int64_t count, std::string_view one);

/// The place of a chart: its axes, in pixels. The title is above, the labels of the axes are left and below.
struct Frame {
  double left, right, top, bottom;
};

/// Bars from the base line up to the top, which stands for limit, each in its color.
void draw_bars(Canvas& canvas, const Frame& frame, std::string_view title, const std::vector<double>& values,
               const std::vector<Color>& colors, double limit, const std::string& limit_text);

/// The number of eigenvalues in each part of the spectrum on a logarithmic scale, with λ_k marked unless it
/// is 0.
void draw_spectrum(Canvas& canvas, const Frame& frame, const spectral::SpectralDensity& density,
                   double lambda_k);

/// Stability over the number of clusters with a standard error to either side, the chosen number marked.
void draw_stability(Canvas& canvas, const Frame& frame, const StabilityCurve& curve);

}  // namespace parsimony::cluster
