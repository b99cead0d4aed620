#include "images/denoising/stabilizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace parsimony::images {

std::optional<Stabilizer> Stabilizer::of(const Image& noisy, const Context& context) {
  Stabilizer out{.growths = estimate_noise_growth(noisy, context), .image = noisy};
  const auto growing = std::ranges::count_if(out.growths, &NoiseGrowth::grows);
  const bool fitted =
      std::ranges::all_of(out.growths, [](const NoiseGrowth& g) { return g.constant + g.slope > 0; });
  if (2 * growing <= std::ssize(out.growths) || !fitted) return {};
  // The mean variance, so that sigma means the same on both scales.
  double variance = 0;
  for (std::size_t c = 0; c < out.growths.size(); ++c) {
    const Matrix<float>& channel = noisy.channels[c];
    double sum = 0;
    for (const float value : channel.values()) sum += std::max(0.0f, value);
    variance += out.growths[c].constant + out.growths[c].slope * sum / static_cast<double>(channel.size());
  }
  out.sigma = std::sqrt(variance / static_cast<double>(out.growths.size()));
  for (std::size_t c = 0; c < out.growths.size(); ++c) {
    out.image.channels[c] = stabilized(noisy.channels[c], out.growths[c], out.sigma);
  }
  return out;
}

void Stabilizer::undo(Image& denoised, std::vector<Report>& reports, const Context& context) const {
  std::vector<double> constants, slopes;
  for (std::size_t c = 0; c < growths.size(); ++c) {
    denoised.channels[c] = unstabilized(denoised.channels[c], growths[c], sigma);
    constants.push_back(growths[c].constant);
    slopes.push_back(growths[c].slope);
  }
  if (!reports.empty()) {
    reports.front().figures.emplace_back("noise_constant", constants);
    reports.front().figures.emplace_back("noise_slope", slopes);
  }
  context.log(LogLevel::info,
              fmt::format("the noise grows with the brightness x: its variance is {:.3g} + {:.3g} x",
                          constants.front(), slopes.front()));
}

}  // namespace parsimony::images
