// Implements tiff_format.hpp.
#include "core/images/tiff_format.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {

bool is_tiff(std::string_view bytes) {
  const std::string_view mark = bytes.substr(0, 4);
  return mark == std::string_view("II*\0", 4) || mark == std::string_view("MM\0*", 4) ||
         mark == std::string_view("II+\0", 4) || mark == std::string_view("MM\0+", 4);
}

}  // namespace parsimony

#ifdef PARSIMONY_TIFF

#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "core/count_of.hpp"
#include "core/images/exif.hpp"
#include "core/images/samples.hpp"
#include "core/memory_shortage.hpp"

namespace parsimony {
namespace {

constexpr std::int64_t kTiffExpansion = 4096;  // pixels per byte: of LZW, the compression that expands most
constexpr tmsize_t kMostTiffMemory = tmsize_t{1} << 31;

// Bytes of the largest strip or tile that a file of this size can fill: pixels have up to 8 bytes.
tmsize_t most_tiff_memory(std::size_t file) {
  const tmsize_t filled = static_cast<tmsize_t>(std::min<std::size_t>(file, 1 << 20)) * kTiffExpansion * 8;
  return std::clamp<tmsize_t>(filled, 1 << 20, kMostTiffMemory);
}

// A file in memory, and the first message of libtiff.
struct TiffStream {
  std::string_view input;
  std::string output;
  bool writes = false;
  std::size_t at = 0;
  std::array<char, 200> message{};
};

TiffStream& tiff_stream(thandle_t handle) {
  return *static_cast<TiffStream*>(handle);
}

tmsize_t tiff_read(thandle_t handle, void* to, tmsize_t count) {
  TiffStream& stream = tiff_stream(handle);
  const std::string_view bytes = stream.writes ? std::string_view(stream.output) : stream.input;
  const std::size_t there = stream.at < bytes.size() ? bytes.size() - stream.at : 0;
  const std::size_t given = std::min(there, static_cast<std::size_t>(std::max<tmsize_t>(0, count)));
  std::memcpy(to, bytes.data() + std::min(stream.at, bytes.size()), given);
  stream.at += given;
  return static_cast<tmsize_t>(given);
}

tmsize_t tiff_write(thandle_t handle, void* from, tmsize_t count) {
  TiffStream& stream = tiff_stream(handle);
  const auto bytes = static_cast<std::size_t>(count);
  try {
    if (stream.output.size() < stream.at + bytes) stream.output.resize(stream.at + bytes);
  } catch (const std::exception&) {
    return -1;
  }
  std::memcpy(stream.output.data() + stream.at, from, bytes);
  stream.at += bytes;
  return count;
}

toff_t tiff_seek(thandle_t handle, toff_t offset, int whence) {
  TiffStream& stream = tiff_stream(handle);
  const std::size_t size = stream.writes ? stream.output.size() : stream.input.size();
  stream.at = static_cast<std::size_t>(offset) + (whence == SEEK_CUR   ? stream.at
                                                  : whence == SEEK_END ? size
                                                                       : 0);
  return stream.at;
}

int tiff_close(thandle_t) {
  return 0;
}

toff_t tiff_size(thandle_t handle) {
  const TiffStream& stream = tiff_stream(handle);
  return stream.writes ? stream.output.size() : stream.input.size();
}

int on_tiff_error(TIFF*, void* data, const char*, const char* format, va_list arguments) {
  auto& message = static_cast<TiffStream*>(data)->message;
  if (message[0] == '\0') std::vsnprintf(message.data(), message.size(), format, arguments);
  return 1;
}

int on_tiff_warning(TIFF*, void*, const char*, const char*, va_list) {
  return 1;
}

using Tiff = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

Tiff open_tiff(TiffStream& stream, const char* mode) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 TIFFOpenOptionsFree);
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_tiff_error, &stream);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_tiff_warning, &stream);
  TIFFOpenOptionsSetMaxSingleMemAlloc(
      options.get(), stream.writes ? kMostTiffMemory : most_tiff_memory(stream.input.size()));
  return {TIFFClientOpenExt("image", mode, &stream, tiff_read, tiff_write, tiff_seek, tiff_close, tiff_size,
                            nullptr, nullptr, options.get()),
          TIFFClose};
}

template <class T>
T tiff_field(TIFF* tiff, ttag_t tag, T otherwise) {
  T value{};
  return TIFFGetFieldDefaulted(tiff, tag, &value) == 1 ? value : otherwise;
}

struct TiffLayout {
  std::int64_t width = 0, height = 0;
  int bits = 1, samples = 1, photometric = 0, orientation = 1;
  bool floats = false, separate = false, alpha = false;
  int colors() const { return samples - (alpha ? 1 : 0); }
};

TiffLayout layout_of(TIFF* tiff, const std::string& name) {
  TiffLayout layout;
  layout.width = tiff_field<std::uint32_t>(tiff, TIFFTAG_IMAGEWIDTH, 0);
  layout.height = tiff_field<std::uint32_t>(tiff, TIFFTAG_IMAGELENGTH, 0);
  layout.bits = tiff_field<std::uint16_t>(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  layout.samples = tiff_field<std::uint16_t>(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  layout.photometric = tiff_field<std::uint16_t>(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  layout.orientation = tiff_field<std::uint16_t>(tiff, TIFFTAG_ORIENTATION, 1);
  layout.separate =
      tiff_field<std::uint16_t>(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
  const int kind = tiff_field<std::uint16_t>(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  const auto unsupported = [&](const std::string& what) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("{}: a TIFF {}; grey, RGB and palettes of 1 to 16 bits, and floats of 32, are read: "
                    "convert it to PNG",
                    name, what));
  };
  if (layout.photometric == PHOTOMETRIC_CFA)
    unsupported("of a camera's raw sensor (develop it with dcraw -T)");
  if (layout.photometric > PHOTOMETRIC_PALETTE)
    unsupported(fmt::format("of colour kind {}", layout.photometric));
  layout.floats = kind == SAMPLEFORMAT_IEEEFP && layout.bits == 32;
  const bool whole =
      (kind == SAMPLEFORMAT_UINT || kind == SAMPLEFORMAT_VOID) &&
      (layout.bits == 1 || layout.bits == 2 || layout.bits == 4 || layout.bits == 8 || layout.bits == 16);
  if (!layout.floats && !whole)
    unsupported(fmt::format("of {}, kind of numbers {}", count_of(layout.bits, "bit"), kind));
  const int colors = layout.photometric == PHOTOMETRIC_RGB ? 3 : 1;
  layout.alpha = layout.samples == colors + 1;
  if (layout.samples != colors && !layout.alpha)
    unsupported(fmt::format("of {}", count_of(layout.samples, "channel")));
  if (layout.photometric == PHOTOMETRIC_PALETTE && (layout.floats || layout.alpha))
    unsupported("with such a palette");
  return layout;
}

// Value i of a decoded row.
float value_at(const std::vector<unsigned char>& row, std::int64_t i, const TiffLayout& layout) {
  if (layout.floats) {
    float value = 0;
    std::memcpy(&value, row.data() + 4 * i, 4);
    return value;
  }
  if (layout.bits == 16) {
    std::uint16_t value = 0;
    std::memcpy(&value, row.data() + 2 * i, 2);
    return value;
  }
  const std::int64_t bit = i * layout.bits;
  return static_cast<float>(row[static_cast<std::size_t>(bit / 8)] >> (8 - layout.bits - bit % 8) &
                            ((1 << layout.bits) - 1));
}

// Calls take(plane, row, first column, columns, values) for every row of every strip or tile. Returns false
// if libtiff finds a fault.
template <class Take>
bool for_rows(TIFF* tiff, const TiffLayout& layout, tmsize_t most_memory, const Take& take) {
  const int planes = layout.separate ? layout.samples : 1;
  const bool tiled = TIFFIsTiled(tiff) != 0;
  const std::int64_t width = tiled ? tiff_field<std::uint32_t>(tiff, TIFFTAG_TILEWIDTH, 0) : layout.width;
  std::int64_t height = tiff_field<std::uint32_t>(tiff, tiled ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, 0);
  if (!tiled) height = std::min(height, layout.height);
  const tmsize_t size = tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
  const tmsize_t row_size = tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff);
  const std::int64_t per_row = width * (layout.separate ? 1 : layout.samples);
  if (width < 1 || height < 1 || row_size < (per_row * layout.bits + 7) / 8 || size < row_size * height)
    return false;
  if (size > most_memory) return false;
  std::vector<unsigned char> block(static_cast<std::size_t>(size)), row(static_cast<std::size_t>(row_size));
  for (int plane = 0; plane < planes; ++plane) {
    for (std::int64_t y = 0; y < layout.height; y += height) {
      for (std::int64_t x = 0; x < layout.width; x += width) {
        const auto column = static_cast<std::uint32_t>(x), line = static_cast<std::uint32_t>(y);
        const auto sample = static_cast<std::uint16_t>(plane);
        const std::int64_t rows = std::min(height, layout.height - y);
        const tmsize_t wanted = row_size * (tiled ? height : rows);
        const tmsize_t found =
            tiled ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, column, line, 0, sample), block.data(),
                                        wanted)
                  : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, line, sample), block.data(), wanted);
        if (found != wanted) return false;
        for (std::int64_t r = 0; r < rows; ++r) {
          std::copy_n(block.begin() + r * row_size, row_size, row.begin());
          take(plane, y + r, x, std::min(width, layout.width - x), row);
        }
      }
    }
  }
  return true;
}

ImageTags tiff_tags(TIFF* tiff, int orientation) {
  ImageTags tags;
  std::uint32_t length = 0;
  void* profile = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_ICCPROFILE, &length, &profile) == 1) {
    tags.icc_profile.assign(static_cast<const char*>(profile), length);
  }
  float x = 0, y = 0;
  const int unit = tiff_field<std::uint16_t>(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_NONE);
  if (unit != RESUNIT_NONE && TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &x) == 1 &&
      TIFFGetField(tiff, TIFFTAG_YRESOLUTION, &y) == 1 && x > 0 && y > 0 && std::isfinite(x) &&
      std::isfinite(y)) {
    const double per_metre = unit == RESUNIT_INCH ? 1 / 0.0254 : 100;
    tags.pixels_per_metre = {x * per_metre, y * per_metre};
  }
  tags.exif = exif_of_orientation(orientation);
  return tags;
}

}  // namespace

Image decode_tiff(std::string_view bytes, const std::string& name, std::int64_t max_bytes) {
  TiffStream stream{.input = bytes};
  const MemoryShortage shortage;
  const auto fail = [&] {
    shortage.check();
    throw Error(ErrorCode::format,
                fmt::format("{}: broken or truncated TIFF: {}", name, stream.message.data()));
  };
  const Tiff tiff = open_tiff(stream, "rm");
  if (tiff == nullptr) fail();
  shortage.check();  // libtiff leaves out a tag that there was no memory for
  const TiffLayout layout = layout_of(tiff.get(), name);
  check_image_size(name, layout.width, layout.height, layout.samples, max_bytes);
  check_expansion(name, "TIFF", layout.width, layout.height, bytes.size(), kTiffExpansion);
  std::uint16_t* palette[3] = {};
  const bool indexed = layout.photometric == PHOTOMETRIC_PALETTE;
  if (indexed && TIFFGetField(tiff.get(), TIFFTAG_COLORMAP, &palette[0], &palette[1], &palette[2]) != 1)
    fail();
  Image image;
  image.bits = layout.floats ? 32 : layout.bits == 16 || indexed ? 16 : 8;
  image.alpha = layout.alpha;
  const int channels = indexed ? 3 : layout.samples;
  for (int c = 0; c < channels; ++c) image.channels.emplace_back(layout.height, layout.width);
  const double most = std::pow(2.0, layout.bits) - 1;
  const auto scaled = [&](float value, std::size_t channel) {
    if (layout.floats) return value;
    const bool inverted = layout.photometric == PHOTOMETRIC_MINISWHITE && channel == 0;
    return static_cast<float>((inverted ? most - value : value) * 255 / most);
  };
  const bool read = for_rows(
      tiff.get(), layout, most_tiff_memory(bytes.size()),
      [&](int plane, std::int64_t y, std::int64_t x, std::int64_t columns, const auto& row) {
        for (std::int64_t u = 0; u < columns; ++u) {
          if (indexed) {
            const auto index = static_cast<std::size_t>(value_at(row, u, layout));
            for (std::size_t c = 0; c < 3; ++c) {
              image.channels[c](y, x + u) = static_cast<float>(palette[c][index] * 255.0 / 65535);
            }
          } else if (layout.separate) {
            const auto c = static_cast<std::size_t>(plane);
            image.channels[c](y, x + u) = scaled(value_at(row, u, layout), c);
          } else {
            for (std::size_t c = 0; c < image.channels.size(); ++c) {
              const float value = value_at(row, u * layout.samples + static_cast<std::int64_t>(c), layout);
              image.channels[c](y, x + u) = scaled(value, c);
            }
          }
        }
      });
  if (!read) fail();
  image.tags = tiff_tags(tiff.get(), layout.orientation);
  shortage.check();
  if (TIFFLastDirectory(tiff.get()) == 0) {
    throw Error(ErrorCode::unsupported,
                name + ": a TIFF of several images; one is read: tiffsplit writes each to a file of its own");
  }
  return image;
}

std::string encode_tiff(const Image& image) {
  TiffStream stream{.writes = true};
  const MemoryShortage shortage;
  const auto count = static_cast<std::int64_t>(image.channels.size());
  {
    const Tiff tiff = open_tiff(stream, "w");
    if (tiff == nullptr) shortage.check();
    if (tiff == nullptr) throw Error(ErrorCode::internal, "libtiff could not be started");
    const bool floats = image.bits == 32;
    const auto set = [&](ttag_t tag, auto value) { TIFFSetField(tiff.get(), tag, value); };
    set(TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(image.width()));
    set(TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(image.height()));
    set(TIFFTAG_BITSPERSAMPLE, image.bits);
    set(TIFFTAG_SAMPLESPERPIXEL, static_cast<int>(count));
    set(TIFFTAG_SAMPLEFORMAT, floats ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
    set(TIFFTAG_PHOTOMETRIC, image.colors() == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
    set(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    set(TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
    const std::int64_t width = std::max<std::int64_t>(1, image.width());  // the caller refuses an empty image
    set(TIFFTAG_ROWSPERSTRIP,
        static_cast<std::uint32_t>(std::clamp<std::int64_t>((1 << 16) / width, 1, image.height())));
    if (image.alpha) {
      const std::uint16_t kind = EXTRASAMPLE_UNASSALPHA;
      TIFFSetField(tiff.get(), TIFFTAG_EXTRASAMPLES, 1, &kind);
    }
    if (const std::string& icc = image.tags.icc_profile; !icc.empty()) {
      TIFFSetField(tiff.get(), TIFFTAG_ICCPROFILE, static_cast<std::uint32_t>(icc.size()), icc.data());
    }
    if (const auto& density = image.tags.pixels_per_metre; density[0] > 0) {
      set(TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
      set(TIFFTAG_XRESOLUTION, density[0] / 100);
      set(TIFFTAG_YRESOLUTION, density[1] / 100);
    }
    set(TIFFTAG_ORIENTATION, exif_orientation(image.tags.exif));
    const Samples samples = floats ? Samples{} : to_samples(image);
    const std::int64_t values = image.width() * count;
    std::vector<float> float_row(floats ? static_cast<std::size_t>(values) : 0);
    std::vector<std::uint16_t> row(image.bits == 16 ? static_cast<std::size_t>(values) : 0);
    for (std::int64_t y = 0; y < image.height(); ++y) {
      const char* stored = samples.bytes.data() + y * values * image.bits / 8;
      void* data = const_cast<char*>(stored);
      for (std::int64_t i = 0; floats && i < values; ++i) {
        float_row[i] = image.channels[static_cast<std::size_t>(i % count)](y, i / count);
        data = float_row.data();
      }
      for (std::int64_t i = 0; image.bits == 16 && i < values; ++i) {
        const auto* at = reinterpret_cast<const unsigned char*>(stored) + 2 * i;
        row[i] = static_cast<std::uint16_t>(at[0] << 8 | at[1]);
        data = row.data();
      }
      if (TIFFWriteScanline(tiff.get(), data, static_cast<std::uint32_t>(y), 0) != 1) {
        shortage.check();
        throw Error(ErrorCode::internal,
                    std::string("an image could not be encoded: ") + stream.message.data());
      }
    }
  }
  shortage.check();
  return std::move(stream.output);
}

}  // namespace parsimony

#else

namespace parsimony {
namespace {

[[noreturn]] void refuse_tiff(const std::string& name) {
  throw Error(ErrorCode::unsupported,
              name +
                  ": TIFF is not in this build, because libtiff 4.5 was not found (Debian and Ubuntu: "
                  "libtiff-dev); convert it to PNG: magick in.tif out.png");
}

}  // namespace

Image decode_tiff(std::string_view, const std::string& name, std::int64_t) {
  refuse_tiff(name);
}
std::string encode_tiff(const Image&) {
  refuse_tiff("the image to write");
}

}  // namespace parsimony

#endif
