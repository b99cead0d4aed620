// Names the kinds of images that are not read.
#pragma once

#include <string>
#include <string_view>

namespace parsimony {

/// "a GIF: convert it to PNG first: magick photo.gif out.png" for the file "photo.gif", by its first bytes;
/// empty where they say nothing.
std::string foreign_image(std::string_view bytes, const std::string& name);

}  // namespace parsimony
