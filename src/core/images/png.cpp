// Implements png_format.hpp with libpng.
#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <exception>
#include <vector>

#include "core/count_of.hpp"
#include "core/images/png_format.hpp"
#include "core/memory_shortage.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {
namespace {

constexpr std::int64_t kMostInflation = 1032;  // largest expansion by inflate: bytes out per byte in
constexpr int kCompression = 6;

// State of libpng's callbacks. libpng reports errors by longjmp, which runs no destructors: everything that
// owns memory lives here, outside the frames that are jumped over.
struct Stream {
  std::string_view input;
  std::size_t used = 0;
  std::string output;
  std::array<char, 200> message{};  // a fixed size, because no exception may pass through libpng
  bool ended = false;               // the input did, before the image
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  std::array<char, 200>& message = static_cast<Stream*>(png_get_error_ptr(png))->message;
  const std::size_t length = std::min(std::strlen(text), message.size() - 1);
  std::memcpy(message.data(), text, length);
  message[length] = 0;
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep out, png_size_t count) {
  auto& stream = *static_cast<Stream*>(png_get_io_ptr(png));
  if (count > stream.input.size() - stream.used) {
    stream.ended = true;
    png_error(png, "truncated");
  }
  std::memcpy(out, stream.input.data() + stream.used, count);
  stream.used += count;
}

void on_write(png_structp png, png_bytep bytes, png_size_t count) {
  bool held = true;
  try {
    static_cast<Stream*>(png_get_io_ptr(png))->output.append(reinterpret_cast<const char*>(bytes), count);
  } catch (const std::exception&) {
    held = false;
  }
  if (!held) png_error(png, "out of memory");
}

struct Handle {
  explicit Handle(Stream& stream, bool reads) : reading(reads) {
    png = reading ? png_create_read_struct(PNG_LIBPNG_VER_STRING, &stream, on_error, on_warning)
                  : png_create_write_struct(PNG_LIBPNG_VER_STRING, &stream, on_error, on_warning);
    info = png == nullptr ? nullptr : png_create_info_struct(png);
    if (info != nullptr) return;
    release();
    shortage.check();
    throw Error(ErrorCode::internal, std::string("libpng could not be started: ") + stream.message.data());
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { release(); }

  void release() {
    if (reading) {
      png_destroy_read_struct(&png, &info, nullptr);
    } else {
      png_destroy_write_struct(&png, &info);
    }
  }

  MemoryShortage shortage;
  bool reading;
  png_structp png = nullptr;
  png_infop info = nullptr;
};

// Returns false if libpng reported an error. body must own nothing.
template <class Body>
bool run(png_structp png, const Body& body) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  body();
  return true;
}

// Kinds of chunks, each ended by 0.
constexpr char kSkipped[] = "bKGD\0hIST\0iTXt\0oFFs\0pCAL\0sBIT\0sCAL\0sPLT\0sTER\0tEXt\0tIME\0zTXt";

ImageTags read_tags(png_structp png, png_infop info) {
  ImageTags tags;
  png_charp name = nullptr;
  png_bytep data = nullptr;
  png_uint_32 length = 0, x = 0, y = 0;
  int method = 0, intent = 0, unit = 0;
  png_fixed_point gamma = 0;
  if (png_get_iCCP(png, info, &name, &method, &data, &length) != 0) {
    tags.icc_profile.assign(reinterpret_cast<const char*>(data), length);
  }
  if (png_get_sRGB(png, info, &intent) != 0) tags.srgb_intent = intent;
  if (png_get_gAMA_fixed(png, info, &gamma) != 0) tags.gamma = gamma;
  std::array<std::int32_t, 8> c{};
  if (png_get_cHRM_fixed(png, info, &c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6], &c[7]) != 0) {
    tags.chromaticities = c;
  }
  if (png_get_pHYs(png, info, &x, &y, &unit) != 0 && unit == PNG_RESOLUTION_METER) {
    tags.pixels_per_metre = {static_cast<double>(x), static_cast<double>(y)};
  }
  if (png_get_eXIf_1(png, info, &length, &data) != 0) {
    tags.exif.assign(reinterpret_cast<const char*>(data), length);
  }
  return tags;
}

// Owns nothing: it runs where libpng may jump.
void write_tags(png_structp png, png_infop info, const ImageTags& tags) {
  if (!tags.icc_profile.empty()) {
    png_set_iCCP(png, info, "ICC profile", PNG_COMPRESSION_TYPE_BASE,
                 reinterpret_cast<png_const_bytep>(tags.icc_profile.data()),
                 static_cast<png_uint_32>(tags.icc_profile.size()));
  }
  if (tags.srgb_intent) png_set_sRGB(png, info, *tags.srgb_intent);
  if (tags.gamma) png_set_gAMA_fixed(png, info, *tags.gamma);
  if (tags.chromaticities) {
    const auto& c = *tags.chromaticities;
    png_set_cHRM_fixed(png, info, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]);
  }
  if (tags.pixels_per_metre[0] > 0) {
    const auto whole = [](double value) {
      return static_cast<png_uint_32>(std::min(value + 0.5, 2147483647.0));
    };
    png_set_pHYs(png, info, whole(tags.pixels_per_metre[0]), whole(tags.pixels_per_metre[1]),
                 PNG_RESOLUTION_METER);
  }
  if (!tags.exif.empty()) {
    png_set_eXIf_1(png, info, static_cast<png_uint_32>(tags.exif.size()),
                   reinterpret_cast<png_bytep>(const_cast<char*>(tags.exif.data())));
  }
}

}  // namespace

bool is_png(std::string_view bytes) {
  return bytes.substr(0, 8) == "\x89PNG\r\n\x1a\n";
}

Samples decode_png(std::string_view bytes, const std::string& name, std::int64_t max_bytes) {
  Stream stream;
  stream.input = bytes;
  Handle handle(stream, true);
  const auto fail = [&] {
    handle.shortage.check();
    if (stream.ended) {
      throw Error(ErrorCode::format, fmt::format("{}: truncated PNG: it ends after {}, inside of the image",
                                                 name, count_of(bytes.size(), "byte")));
    }
    throw Error(ErrorCode::format, fmt::format("{}: broken PNG: {}", name, stream.message.data()));
  };
  png_structp png = handle.png;
  png_infop info = handle.info;
  png_set_read_fn(png, &stream, on_read);
  png_set_user_limits(png, 1u << 28, 1u << 28);
  png_set_chunk_malloc_max(png, std::clamp<std::size_t>(bytes.size(), 1 << 16, 8 << 20));
  // Text, times and the like are dropped, so skip them.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, reinterpret_cast<png_const_bytep>(kSkipped),
                              sizeof(kSkipped) / 5);
  if (!run(png, [&] { png_read_info(png, info); })) fail();

  Samples out;
  out.width = png_get_image_width(png, info);
  out.height = png_get_image_height(png, info);
  const auto stored = static_cast<std::int64_t>(png_get_rowbytes(png, info));
  check_image_size(name, out.width, out.height, 4, max_bytes);
  if (stored > kMostInflation * static_cast<std::int64_t>(bytes.size()) / out.height) {
    throw Error(ErrorCode::format, fmt::format("{}: truncated PNG: {} × {} pixels cannot be in {}", name,
                                               out.width, out.height, count_of(bytes.size(), "byte")));
  }
  const auto expand = [&] {
    png_set_expand(png);  // palettes, fewer than 8 bits, a transparent colour
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
  };
  if (!run(png, expand)) fail();
  out.channels = png_get_channels(png, info);
  out.bits = png_get_bit_depth(png, info);
  const std::size_t row_bytes = png_get_rowbytes(png, info);
  out.bytes.resize(row_bytes * static_cast<std::size_t>(out.height));
  std::vector<png_bytep> rows(static_cast<std::size_t>(out.height));
  for (std::size_t y = 0; y < rows.size(); ++y) {
    rows[y] = reinterpret_cast<png_bytep>(out.bytes.data()) + y * row_bytes;
  }
  const auto read = [&] {
    png_read_image(png, rows.data());
    png_read_end(png, info);
  };
  if (!run(png, read)) fail();
  handle.shortage.check();
  out.most = out.bits == 8 ? 255 : 65535;
  out.tags = read_tags(png, info);
  return out;
}

std::string encode_png(const Samples& samples) {
  Stream stream;
  Handle handle(stream, false);
  png_structp png = handle.png;
  constexpr int kColors[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                             PNG_COLOR_TYPE_RGB_ALPHA};
  const std::size_t row_bytes =
      static_cast<std::size_t>(samples.width) * static_cast<std::size_t>(samples.channels * samples.bits / 8);
  png_set_write_fn(png, &stream, on_write, nullptr);
  const auto write = [&] {
    png_set_compression_level(png, kCompression);
    png_set_benign_errors(png, 1);  // a profile that does not suit the pixels is left out
    png_set_IHDR(png, handle.info, static_cast<png_uint_32>(samples.width),
                 static_cast<png_uint_32>(samples.height), samples.bits, kColors[samples.channels - 1],
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    write_tags(png, handle.info, samples.tags);
    png_write_info(png, handle.info);
    for (std::int64_t y = 0; y < samples.height; ++y) {
      png_write_row(png, reinterpret_cast<png_const_bytep>(samples.bytes.data()) +
                             static_cast<std::size_t>(y) * row_bytes);
    }
    png_write_end(png, nullptr);  // with the tags it would write the Exif a second time
  };
  const bool written = run(png, write);
  handle.shortage.check();  // a profile that there was no memory for is left out without an error
  if (!written) {
    throw Error(ErrorCode::internal, "an image could not be encoded: " + std::string(stream.message.data()));
  }
  return std::move(stream.output);
}

}  // namespace parsimony
