// Implements jpeg_format.hpp.
#include "core/images/jpeg_format.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {

bool is_jpeg(std::string_view bytes) {
  return bytes.substr(0, 3) == "\xff\xd8\xff";
}

}  // namespace parsimony

#ifdef PARSIMONY_JPEG

#include <cstddef>
#include <cstdio>
#include <cstdlib>

// The headers of libjpeg need those above.
#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <vector>

#include "core/count_of.hpp"
#include "core/memory_shortage.hpp"

namespace parsimony {
namespace {

// Most pixels per byte of a JPEG: a block of 64 takes at least 2 bits unless it is progressive.
constexpr std::int64_t kJpegExpansion = 1024;
constexpr int kMostScans = 500;  // a progressive file decodes all of its pixels for every scan
constexpr int kQuality = 95;
constexpr std::string_view kExifMark("Exif\0\0", 6);

// libjpeg reports errors by longjmp, which runs no destructors: objects that own memory must live outside of
// the frames that it skips.
struct JpegErrors {
  jpeg_error_mgr manager;  // first member: libjpeg passes its address
  std::jmp_buf back;
  std::array<char, JMSG_LENGTH_MAX> message;
};

[[noreturn]] void on_jpeg_error(j_common_ptr common) {
  auto* errors = reinterpret_cast<JpegErrors*>(common->err);
  (*common->err->format_message)(common, errors->message.data());
  std::longjmp(errors->back, 1);
}

// A warning means a damaged file, whose missing parts libjpeg would fill with grey; but two that many sound
// files cause.
void on_jpeg_message(j_common_ptr common, int level) {
  const int code = common->err->msg_code;
  if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_JFIF_MAJOR) on_jpeg_error(common);
}

void on_jpeg_progress(j_common_ptr common) {
  auto* info = reinterpret_cast<j_decompress_ptr>(common);
  if (info->input_scan_number <= kMostScans) return;
  common->err->msg_code = JERR_BAD_PROGRESSION;
  on_jpeg_error(common);
}

struct JpegDecoder {
  JpegDecoder(std::string_view bytes, const std::string& file) : name(file) {
    info.err = jpeg_std_error(&errors.manager);
    errors.manager.error_exit = on_jpeg_error;
    errors.manager.emit_message = on_jpeg_message;
    run([&] {
      jpeg_create_decompress(&info);
      jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);
      jpeg_save_markers(&info, JPEG_APP0 + 2, 0xffff);
      progress.progress_monitor = on_jpeg_progress;
      info.progress = &progress;
      jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
      jpeg_read_header(&info, TRUE);
    });
  }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;
  ~JpegDecoder() { jpeg_destroy_decompress(&info); }

  // body must not own memory.
  template <class Body>
  void run(const Body& body) {
    if (setjmp(errors.back) == 0) {
      body();
      return;
    }
    jpeg_destroy_decompress(&info);
    shortage.check();
    const std::string message(errors.message.data());
    throw Error(ErrorCode::format, fmt::format("{}: broken JPEG: {}", name, message));
  }

  const std::string& name;
  MemoryShortage shortage;
  JpegErrors errors{};
  jpeg_progress_mgr progress{};
  jpeg_decompress_struct info{};
};

ImageTags tags_of(JpegDecoder& decoder) {
  ImageTags tags;
  jpeg_decompress_struct& info = decoder.info;
  JOCTET* profile = nullptr;
  unsigned int length = 0;
  boolean found = FALSE;
  decoder.run([&] { found = jpeg_read_icc_profile(&info, &profile, &length); });
  if (found != FALSE) {
    try {
      tags.icc_profile.assign(reinterpret_cast<const char*>(profile), length);
    } catch (...) {
      std::free(profile);
      throw;
    }
    std::free(profile);
  }
  for (auto* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (marker->marker == JPEG_APP0 + 1 && data.starts_with(kExifMark) && tags.exif.empty()) {
      tags.exif = data.substr(kExifMark.size());
    }
  }
  if (info.saw_JFIF_marker != FALSE && info.density_unit > 0) {
    const double per_metre = info.density_unit == 1 ? 1 / 0.0254 : 100;
    tags.pixels_per_metre = {info.X_density * per_metre, info.Y_density * per_metre};
  }
  return tags;
}

struct JpegEncoder {
  JpegEncoder() {
    info.err = jpeg_std_error(&errors.manager);
    errors.manager.error_exit = on_jpeg_error;
  }
  JpegEncoder(const JpegEncoder&) = delete;
  JpegEncoder& operator=(const JpegEncoder&) = delete;
  ~JpegEncoder() {
    jpeg_destroy_compress(&info);
    std::free(out);
  }

  MemoryShortage shortage;
  JpegErrors errors{};
  jpeg_compress_struct info{};
  unsigned char* out = nullptr;
  unsigned long size = 0;
};

}  // namespace

JpegSize jpeg_size(std::string_view bytes, const std::string& name) {
  const JpegDecoder decoder(bytes, name);
  return {decoder.info.image_width, decoder.info.image_height};
}

Samples decode_jpeg(std::string_view bytes, const std::string& name, std::int64_t max_bytes) {
  JpegDecoder decoder(bytes, name);
  jpeg_decompress_struct& info = decoder.info;
  Samples out;
  out.width = info.image_width;
  out.height = info.image_height;
  if (info.num_components != 1 && info.num_components != 3) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: a JPEG of {}; grey and RGB are read: convert it to RGB", name,
                            count_of(info.num_components, "ink")));
  }
  out.channels = info.num_components;
  check_image_size(name, out.width, out.height, out.channels, max_bytes);
  check_expansion(name, "JPEG", out.width, out.height, bytes.size(), kJpegExpansion);
  out.tags = tags_of(decoder);
  decoder.run([&] {
    info.out_color_space = info.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    info.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&info);
  });
  const auto row = static_cast<std::size_t>(out.width * out.channels);
  if (info.output_components != out.channels || info.output_width != out.width) {
    throw Error(ErrorCode::internal, name + ": a JPEG of another size than its header's");
  }
  out.bytes.resize(row * static_cast<std::size_t>(out.height));
  auto* at = reinterpret_cast<unsigned char*>(out.bytes.data());
  decoder.run([&] {
    while (info.output_scanline < info.output_height) {
      JSAMPROW rows[] = {at + info.output_scanline * row};
      jpeg_read_scanlines(&info, rows, 1);
    }
    jpeg_finish_decompress(&info);
  });
  return out;
}

std::string encode_jpeg(const Samples& samples) {
  JpegEncoder encoder;
  jpeg_compress_struct& info = encoder.info;
  const std::string exif = samples.tags.exif.empty() ? "" : std::string(kExifMark) + samples.tags.exif;
  if (setjmp(encoder.errors.back) != 0) {
    encoder.shortage.check();
    throw Error(ErrorCode::internal,
                "an image could not be encoded: " + std::string(encoder.errors.message.data()));
  }
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &encoder.out, &encoder.size);
  info.image_width = static_cast<JDIMENSION>(samples.width);
  info.image_height = static_cast<JDIMENSION>(samples.height);
  info.input_components = samples.channels;
  info.in_color_space = samples.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, kQuality, TRUE);
  for (int c = 0; c < info.num_components; ++c)
    info.comp_info[c].h_samp_factor = info.comp_info[c].v_samp_factor = 1;
  if (const auto& density = samples.tags.pixels_per_metre; density[0] > 0) {
    const auto per_cm = [](double value) {
      return static_cast<UINT16>(std::clamp(value / 100 + 0.5, 1.0, 65535.0));
    };
    info.density_unit = 2;
    info.X_density = per_cm(density[0]);
    info.Y_density = per_cm(density[1]);
  }
  jpeg_start_compress(&info, TRUE);
  if (!exif.empty() && exif.size() <= 65533) {
    jpeg_write_marker(&info, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(exif.data()),
                      static_cast<unsigned int>(exif.size()));
  }
  if (const std::string& icc = samples.tags.icc_profile; !icc.empty()) {
    jpeg_write_icc_profile(&info, reinterpret_cast<const JOCTET*>(icc.data()),
                           static_cast<unsigned int>(icc.size()));
  }
  const auto row = static_cast<std::size_t>(samples.width * samples.channels);
  while (info.next_scanline < info.image_height) {
    JSAMPROW rows[] = {reinterpret_cast<unsigned char*>(const_cast<char*>(samples.bytes.data())) +
                       info.next_scanline * row};
    jpeg_write_scanlines(&info, rows, 1);
  }
  jpeg_finish_compress(&info);
  return {reinterpret_cast<const char*>(encoder.out), encoder.size};
}

}  // namespace parsimony

#else

namespace parsimony {
namespace {

[[noreturn]] void refuse_jpeg(const std::string& name) {
  throw Error(ErrorCode::unsupported,
              name +
                  ": JPEG is not in this build, because libjpeg was not found (Debian and Ubuntu: "
                  "libjpeg-dev); convert it to PNG: magick in.jpg out.png");
}

}  // namespace

JpegSize jpeg_size(std::string_view, const std::string& name) {
  refuse_jpeg(name);
}
Samples decode_jpeg(std::string_view, const std::string& name, std::int64_t) {
  refuse_jpeg(name);
}
std::string encode_jpeg(const Samples&) {
  refuse_jpeg("the image to write");
}

}  // namespace parsimony

#endif
