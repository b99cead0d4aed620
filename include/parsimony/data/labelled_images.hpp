// Reads labelled images from an archive of JPEGs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/context.hpp"

namespace parsimony::data {

struct LabelledImages {
  std::int64_t height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  ///< image by image, planes of red, green and blue, each height × width
  std::vector<std::int64_t> labels;  ///< index into `classes` for each image; −1: unknown
  std::vector<std::string> names;    ///< files of the images, by read_pictures
  std::vector<std::string> classes;  ///< folders in alphabetical order, or the numbers from 0 on
  bool numbered = false;  ///< classes are the numbers of a list, which need not have all of the network's

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
  std::int64_t values_per_image() const { return 3 * height * width; }
  std::span<const std::uint8_t> image(std::int64_t i) const {
    return std::span(pixels).subspan(i * values_per_image(), values_per_image());
  }
};

/// Reads the members split/<class>/<name>.jpg (or .jpeg) of a zip archive, sorted by name, one folder per
/// class. All images must have the same size. CIFAR-10 has the splits "train" and "test"; its classes keep
/// their usual numbers.
///
/// Time: about 15 µs per image of 32 × 32 and core. Memory: the archive, the JPEGs of the split and 3 bytes
/// per pixel.
///
/// Throws io, format (a broken archive or image, or an image of another size, with its name),
/// invalid_argument (the split has no image) and cancelled. An image whose header claims far more pixels than
/// its bytes can hold is refused before memory is allocated for it.
LabelledImages read_labelled_images(const std::filesystem::path& archive, std::string_view split,
                                    const Context& context = Context{});

}  // namespace parsimony::data
