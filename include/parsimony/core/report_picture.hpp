// An image on the page of a report.
#pragma once

#include <string>

#include "parsimony/core/image.hpp"
#include "parsimony/core/report_page.hpp"

namespace parsimony {

/// The image as a PNG of 8 bits: shrunk, by the mean of squares of pixels, until no side has more than 1000
/// pixels; values are clipped, and one that is not a number becomes 0.
ReportPicture report_picture(std::string caption, const Image& image);

}  // namespace parsimony
