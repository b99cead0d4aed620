// The noise of one channel of an image whose pixels are marked.
#pragma once

#include <span>

#include "images/denoising/pixel_marks.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::images {

/// The method of estimate_sigma for a channel that is a sum of the marked colours; squares: the squares of
/// their weights, with sum 1. 0 where too few blocks have noise to see. Throws cancelled.
double estimate_channel_sigma(MatrixView<const float> channel, const PixelMarks& marks,
                              std::span<const double> squares, const Context& context);

}  // namespace parsimony::images
