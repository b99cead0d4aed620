// Names the kinds of images that are not read.
#pragma once

#include <string>
#include <string_view>

namespace parsimony {

/// "a GIF: convert it to PNG first: magick in.gif out.png", by the first bytes; empty where they say nothing.
std::string foreign_image(std::string_view bytes);

}  // namespace parsimony
