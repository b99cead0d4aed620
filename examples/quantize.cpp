// Compresses a network to a number of bytes: example_quantize MODEL BYTES OUT
#include <exception>
#include <iostream>
#include <string>

#include "parsimony/quant/compress.hpp"

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::cerr << "usage: example_quantize MODEL.safetensors BYTES OUT.safetensors\n";
    return 2;
  }
  const auto made = parsimony::quant::compress(argv[1], argv[3], {.budget = std::stoll(argv[2])});
  std::cout << made.bytes << " bytes instead of " << made.model_bytes << '\n';
} catch (const std::exception& error) {  // std::stoll throws too
  std::cerr << error.what() << '\n';
  return 1;
}
