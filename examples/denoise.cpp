// Denoises a picture: example_denoise IN OUT
#include "parsimony/images/denoise.hpp"

#include <iostream>

#include "parsimony/core/image.hpp"

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "usage: example_denoise IN.png OUT.png\n";
    return 2;
  }
  const parsimony::Image noisy = parsimony::read_image(argv[1]);
  const parsimony::images::DenoiseResult denoised = parsimony::images::denoise(noisy);
  parsimony::write_image(argv[2], denoised.image);
} catch (const parsimony::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
