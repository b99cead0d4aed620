#include "data/jpeg.hpp"

#include <cstddef>
#include <cstdio>

// The header of libjpeg needs the two above.
#include <fmt/format.h>
#include <jpeglib.h>

#include <array>
#include <csetjmp>
#include <vector>

#include "parsimony/core/error.hpp"

namespace parsimony::data {
namespace {

// libjpeg reports errors by longjmp, which runs no destructors: objects that own memory must live outside of
// the frames that it skips.
struct Errors {
  jpeg_error_mgr manager;  // first member: libjpeg passes its address
  std::jmp_buf back;
  std::array<char, JMSG_LENGTH_MAX> message;
};

[[noreturn]] void on_error(j_common_ptr common) {
  auto* errors = reinterpret_cast<Errors*>(common->err);
  (*common->err->format_message)(common, errors->message.data());
  std::longjmp(errors->back, 1);
}

// A warning means a damaged file, whose missing parts libjpeg would fill with grey.
void on_message(j_common_ptr common, int level) {
  if (level < 0) on_error(common);
}

struct Decoder {
  Decoder(std::string_view bytes, const std::string& file) : name(file) {
    info.err = jpeg_std_error(&errors.manager);
    errors.manager.error_exit = on_error;
    errors.manager.emit_message = on_message;
    run([&] {
      jpeg_create_decompress(&info);
      jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
      jpeg_read_header(&info, TRUE);
    });
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&info); }

  // body must not own memory.
  template <class Body>
  void run(const Body& body) {
    if (setjmp(errors.back) == 0) {
      body();
      return;
    }
    const std::string message(errors.message.data());
    jpeg_destroy_decompress(&info);
    throw Error(ErrorCode::format, fmt::format("{}: broken JPEG: {}", name, message));
  }

  const std::string& name;
  Errors errors{};
  jpeg_decompress_struct info{};
};

}  // namespace

JpegSize jpeg_size(std::string_view bytes, const std::string& name) {
  const Decoder decoder(bytes, name);
  return {decoder.info.image_width, decoder.info.image_height};
}

void decode_jpeg(std::string_view bytes, const std::string& name, std::span<std::uint8_t> out) {
  Decoder decoder(bytes, name);
  jpeg_decompress_struct& info = decoder.info;
  decoder.run([&] {
    info.out_color_space = JCS_RGB;
    info.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&info);
  });
  const std::size_t width = info.output_width, pixels = width * info.output_height;
  if (info.output_components != 3 || out.size() != 3 * pixels) {
    throw Error(ErrorCode::internal, name + ": a JPEG of another size than its header's");
  }
  std::vector<std::uint8_t> row(3 * width);
  for (std::size_t at = 0; at < pixels; at += width) {
    JSAMPROW rows[] = {row.data()};
    decoder.run([&] { jpeg_read_scanlines(&info, rows, 1); });
    for (std::size_t x = 0; x < width; ++x) {
      for (std::size_t c = 0; c < 3; ++c) out[c * pixels + at + x] = row[3 * x + c];
    }
  }
  decoder.run([&] { jpeg_finish_decompress(&info); });
}

}  // namespace parsimony::data
