// Applies methods for grey images to images with colours.
#pragma once

#include <cstdint>
#include <functional>

#include "parsimony/core/image.hpp"

namespace parsimony::images {

/// A method for one channel. index 0 is the luminance, or the only channel.
using ChannelMethod = std::function<Matrix<float>(MatrixView<const float> channel, std::int64_t index)>;

/// The image with `method` applied to its channels: the only one of a grey image; for a colour image the
/// luminance and two colour differences,
///   (R + G + B)/√3, (R − B)/√2, (R − 2G + B)/√6,
/// which are orthonormal, so that white noise of equal deviation in R, G and B has that deviation in each.
/// Alpha is unchanged.
///
/// Throws invalid_argument (neither 1 nor 3 colours, channels of different shapes) and what method throws.
Image by_opponent_colors(const Image& image, const ChannelMethod& method);

}  // namespace parsimony::images
