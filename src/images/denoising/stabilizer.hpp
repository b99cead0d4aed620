// An image on a scale of brightness where its noise is the same everywhere.
#pragma once

#include <optional>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/images/noise_growth.hpp"

namespace parsimony::images {

struct Stabilizer {
  std::vector<NoiseGrowth> growths;  ///< one a colour
  double sigma = 0;                  ///< the root of the mean variance: sigma means the same on both scales
  Image image;                       ///< the noisy one, stabilised

  /// None unless the noise of most colours grows with the brightness.
  static std::optional<Stabilizer> of(const Image& noisy, const Context& context);

  /// Takes the denoised image back to its own scale, and adds the fit to the first report.
  void undo(Image& denoised, std::vector<Report>& reports, const Context& context) const;
};

}  // namespace parsimony::images
