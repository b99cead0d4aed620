// The orientation in EXIF.
#pragma once

#include <string>
#include <string_view>

namespace parsimony {

/// 1 to 8 as in EXIF; 1 (as stored) where there is none.
int exif_orientation(std::string_view exif);

/// EXIF that holds an orientation alone; empty for 1.
std::string exif_of_orientation(int orientation);

}  // namespace parsimony
