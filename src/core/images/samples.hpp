// The samples of an image between its file and the floats of Image.
#pragma once

#include <cstdint>
#include <string>

#include "parsimony/core/image.hpp"

namespace parsimony {

/// height × width pixels of `channels` samples (grey, grey and alpha, RGB, RGBA) with 8 or 16 bits, most
/// significant byte first.
struct Samples {
  std::int64_t width = 0, height = 0;
  int channels = 1;
  int bits = 8;
  int most = 255;  ///< the sample of full brightness; 65535 for 16 bits, but for PNM with another maximum
  std::string bytes;
  ImageTags tags;
};

/// Throws unsupported (more than 2^28 pixels), or memory_limit if 6 bytes for each of `channels` values of
/// width × height pixels exceed max_bytes (0: no limit).
void check_image_size(const std::string& name, std::int64_t width, std::int64_t height, int channels,
                      std::int64_t max_bytes);

/// Throws format, as of a truncated file of this kind, unless width × height pixels can be in that many
/// bytes: at most `expansion` pixels in each.
void check_expansion(const std::string& name, const char* kind, std::int64_t width, std::int64_t height,
                     std::size_t bytes, std::int64_t expansion);

Image from_samples(Samples samples);

/// The samples of an image with 8 bits, or 16 for more: rounded and clipped.
Samples to_samples(const Image& image, int most_bits = 16);

}  // namespace parsimony
