// Any bytes as an image of each kind.
#include "parsimony/core/image.hpp"

#include "check.hpp"
#include "core/images/exif.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  const std::string bytes = fuzz::as_string(data, size);
  fuzz::value_or_error([&] {
    const Image image = parse_image(bytes, "input", fuzz::kMemory);
    fuzz::check(image.bits == 8 || image.bits == 16 || image.bits == 32, "8, 16 or 32 bits");
    fuzz::check(image.colors() == 1 || image.colors() == 3, "grey or RGB");
    const int orientation = exif_orientation(image.tags.exif);
    fuzz::check(orientation >= 1 && orientation <= 8, "an orientation");
    for (const auto& channel : image.channels) {
      fuzz::check(channel.rows() == image.height() && channel.cols() == image.width(), "channels of a shape");
      for (const float value : channel.values()) {
        fuzz::check(image.bits == 32 || (value >= 0 && value <= 255), "values of 0 to 255");
      }
    }
  });
  return 0;
}
