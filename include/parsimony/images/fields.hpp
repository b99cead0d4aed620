// Fields that the options of several denoisers have, so that all of them use the same words and ranges.
#pragma once

#include "parsimony/core/options.hpp"
#include "parsimony/images/noise_level.hpp"

namespace parsimony::images::fields {

inline constexpr Field sigma{.name = "sigma",
                             .help = "standard deviation of the noise on the scale 0 to 255; auto: estimated",
                             .low = kLeastSigma,
                             .high = 1e6,
                             .word = "auto"};
inline constexpr Field weight{
    .name = "weight", .help = "weight of the penalty", .low = 1e-30, .high = 1e6, .word = "auto"};
inline constexpr Field nu{.name = "nu",
                          .help = "nu of the log penalty, for coefficients in units of sigma; auto: 48",
                          .low = 1e-6,
                          .high = 1e9,
                          .word = "auto"};

}  // namespace parsimony::images::fields
