#include "parsimony/core/image.hpp"
#include "parsimony/images/noise_level.hpp"
#include "parsimony/images/unrolled_flow.hpp"

int main(int, char** argv) {
  parsimony::Image image = parsimony::read_image(argv[1]);
  const double sigma = parsimony::operators::estimate_noise_level(image.channels[0]);
  const auto flow = parsimony::operators::shipped_flow(sigma);
  image.channels[0] = parsimony::operators::denoise_by_flow(image.channels[0], sigma, flow).image;
  parsimony::write_image(argv[2], image);
}
