// Labelled images in memory, read from an archive of JPEGs.
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
  std::vector<std::uint8_t> pixels;  ///< image by image: red, green, blue planes of height × width
  std::vector<std::int64_t> labels;  ///< of each image, an index of classes
  std::vector<std::string> classes;  ///< in alphabetical order

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
  std::int64_t values_per_image() const { return 3 * height * width; }
  std::span<const std::uint8_t> image(std::int64_t i) const {
    return std::span(pixels).subspan(i * values_per_image(), values_per_image());
  }
};

/// The members split/<class>/<name>.jpg (or .jpeg) of a zip archive, in the order of their names whatever
/// that of the archive, each class in its folder. All images must be of one size. CIFAR-10 has the splits
/// "train" and "test", and its classes keep their usual numbers.
///
/// Time: about 15 µs an image of 32 × 32 and core. Memory: the archive, the JPEGs of the split and 3 bytes a
/// pixel.
///
/// Throws io, format (an archive or image that is broken, or of another size: named), invalid_argument (no
/// image of that split) and cancelled. Nothing is allocated on the word of an image's header that is out of
/// proportion to its bytes.
LabelledImages read_labelled_images(const std::filesystem::path& archive, std::string_view split,
                                    const Context& context = Context{});

}  // namespace parsimony::data
