// The noise of one channel of an image whose pixels are marked.
#pragma once

#include <span>

#include "images/denoising/pixel_marks.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::images {

struct ChannelNoise {
  double sigma = 0;
  bool correlated = false;  ///< neighbouring pixels share it: sigma is that of the middle frequencies
};

/// The method of estimate_sigma for a channel that is a sum of the marked colours; squares: the squares of
/// their weights, with sum 1. sigma 0 where too few blocks have noise to see. Throws cancelled.
ChannelNoise estimate_channel_noise(MatrixView<const float> channel, const PixelMarks& marks,
                                    std::span<const double> squares, const Context& context);

}  // namespace parsimony::images
