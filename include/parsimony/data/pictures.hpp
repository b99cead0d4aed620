// Reads pictures of any size from an archive or a folder, and makes all of one size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/data/labelled_images.hpp"

namespace parsimony::data {

struct PictureOptions {
  std::int64_t side = 224;  ///< pixels of each side of the result, as the network was trained
  /// Pixels of the shorter side before the square in the middle is cut out. 0 (auto): side / 0.875, as usual
  /// for ImageNet, but never more than the picture has, and at least `side`: pictures that were cropped
  /// before lose nothing more than they must.
  std::int64_t crop_from = 0;
  std::int64_t count = 0;  ///< read at most so many, evenly spaced in the order of names; 0: all
};

template <OptionsOf<PictureOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"side", "pixels of each side of a picture for the network", 1, 4096}, options.side);
  visit(Field{"crop_from", "pixels of the shorter side before the middle is cut out", 1, 8192, "auto", 0},
        options.crop_from);
  visit(Field{"count", "most pictures, evenly spaced in the order of names", 1, 1e9, "all", 0},
        options.count);
}

/// Reads one picture, or the pictures of a zip archive or a folder, in the order of their names:
/// - with a file labels.txt at its root, those that it lists: a line for each, with the file name (without
///   folders) and the number of the class, from 0 on. `split` is not used then;
/// - else with a split, split/<class>/<picture>;
/// - with an empty split, all pictures in all folders, with −1 as their label.
/// Pictures end in .jpg, .jpeg, .png, .webp, .bmp, .tif, .tiff, .ppm or .pgm, in upper or lower case.
///
/// Each picture is resized by the bicubic filter that Pillow has (a = −1/2, widened where it shrinks) so that
/// its shorter side is crop_from, and its middle is cut out. Grey becomes three equal planes; transparency
/// and EXIF orientation are ignored.
///
/// names: the paths of the pictures within the archive or folder.
///
/// Memory: the archive, 3 side² bytes for each picture, and for each thread a decoded picture.
///
/// Throws io; format for a broken archive or picture, a line of labels.txt without name and class, a listed
/// picture that is missing or there twice; invalid_argument (no pictures; options out of range); cancelled.
LabelledImages read_pictures(const std::filesystem::path& path, std::string_view split,
                             const PictureOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::data
