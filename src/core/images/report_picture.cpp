// Implements report_picture.hpp.
#include "parsimony/core/report_picture.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/images/png_format.hpp"
#include "core/images/samples.hpp"

namespace parsimony {
namespace {

constexpr std::int64_t kMostSide = 1000;

// The mean of each square of `step` × `step` pixels; those at the right and lower edge may be narrower.
Matrix<float> shrunk(const Matrix<float>& plane, std::int64_t step) {
  Matrix<float> out((plane.rows() + step - 1) / step, (plane.cols() + step - 1) / step);
  for (std::int64_t y = 0; y < out.rows(); ++y) {
    for (std::int64_t x = 0; x < out.cols(); ++x) {
      double sum = 0;
      const std::int64_t bottom = std::min(plane.rows(), (y + 1) * step),
                         right = std::min(plane.cols(), (x + 1) * step);
      for (std::int64_t i = y * step; i < bottom; ++i) {
        for (std::int64_t j = x * step; j < right; ++j) sum += std::isnan(plane(i, j)) ? 0 : plane(i, j);
      }
      out(y, x) = static_cast<float>(sum / static_cast<double>((bottom - y * step) * (right - x * step)));
    }
  }
  return out;
}

}  // namespace

ReportPicture report_picture(std::string caption, const Image& image) {
  check_channels(image, "picture");
  const std::int64_t step =
      std::max<std::int64_t>(1, (std::max(image.height(), image.width()) + kMostSide - 1) / kMostSide);
  Image small;
  small.alpha = image.alpha;
  for (const Matrix<float>& channel : image.channels) small.channels.push_back(shrunk(channel, step));
  return {std::move(caption), encode_png(to_samples(small, 8))};
}

}  // namespace parsimony
