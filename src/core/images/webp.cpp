// Implements webp_format.hpp.
#include "core/images/webp_format.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {

bool is_webp(std::string_view bytes) {
  return bytes.size() >= 12 && bytes.substr(0, 4) == "RIFF" && bytes.substr(8, 4) == "WEBP";
}

}  // namespace parsimony

#ifdef PARSIMONY_WEBP

#include <fmt/format.h>
#include <webp/decode.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <memory>

#include "core/memory_shortage.hpp"

namespace parsimony {
namespace {

// A picture of one colour takes 30 bytes whatever its size: more than this is not taken for a picture.
constexpr std::int64_t kWebpExpansion = 1 << 16;
constexpr const char* kIccChunk = "ICCP";
constexpr const char* kExifChunk = "EXIF";

using Mux = std::unique_ptr<WebPMux, decltype(&WebPMuxDelete)>;

WebPData as_data(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

ImageTags webp_tags(std::string_view bytes) {
  ImageTags tags;
  const WebPData data = as_data(bytes);
  const MemoryShortage shortage;
  const Mux mux(WebPMuxCreate(&data, 0), WebPMuxDelete);
  shortage.check();
  if (mux == nullptr) return tags;
  const auto chunk = [&](const char* kind) -> std::string {
    WebPData found{};
    if (WebPMuxGetChunk(mux.get(), kind, &found) != WEBP_MUX_OK) return {};
    return {reinterpret_cast<const char*>(found.bytes), found.size};
  };
  tags.icc_profile = chunk(kIccChunk);
  tags.exif = chunk(kExifChunk);
  if (tags.exif.starts_with(std::string_view("Exif\0\0", 6))) tags.exif.erase(0, 6);
  return tags;
}

}  // namespace

Samples decode_webp(std::string_view bytes, const std::string& name, std::int64_t max_bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  WebPBitstreamFeatures features{};
  if (const VP8StatusCode status = WebPGetFeatures(data, bytes.size(), &features); status != VP8_STATUS_OK) {
    throw Error(
        ErrorCode::format,
        fmt::format("{}: {} WebP", name, status == VP8_STATUS_NOT_ENOUGH_DATA ? "truncated" : "broken"));
  }
  if (features.has_animation != 0) {
    throw Error(
        ErrorCode::unsupported,
        name + ": a WebP animation; single images are read: webpmux -get frame 1 in.webp -o out.webp");
  }
  Samples out;
  out.width = features.width;
  out.height = features.height;
  out.channels = features.has_alpha != 0 ? 4 : 3;
  check_image_size(name, out.width, out.height, out.channels, max_bytes);
  check_expansion(name, "WebP", out.width, out.height, bytes.size(), kWebpExpansion);
  const std::int64_t stride = out.width * out.channels;
  out.bytes.resize(static_cast<std::size_t>(stride * out.height));
  auto* to = reinterpret_cast<std::uint8_t*>(out.bytes.data());
  const MemoryShortage shortage;
  const auto* decoded = (out.channels == 4 ? WebPDecodeRGBAInto : WebPDecodeRGBInto)(
      data, bytes.size(), to, out.bytes.size(), static_cast<int>(stride));
  shortage.check();
  if (decoded == nullptr) throw Error(ErrorCode::format, name + ": broken or truncated WebP");
  out.tags = webp_tags(bytes);
  return out;
}

std::string encode_webp(const Samples& samples) {
  std::string pixels;
  const bool alpha = samples.channels == 2 || samples.channels == 4;
  const int channels = alpha ? 4 : 3;
  const std::int64_t count = samples.width * samples.height;
  for (std::int64_t i = 0; i < count; ++i) {
    const char* from = samples.bytes.data() + i * samples.channels;
    for (int c = 0; c < 3; ++c) pixels += from[samples.channels >= 3 ? c : 0];
    if (alpha) pixels += from[samples.channels - 1];
  }
  const auto* data = reinterpret_cast<const std::uint8_t*>(pixels.data());
  const MemoryShortage shortage;
  std::uint8_t* encoded = nullptr;
  const std::size_t size = (alpha ? WebPEncodeLosslessRGBA : WebPEncodeLosslessRGB)(
      data, static_cast<int>(samples.width), static_cast<int>(samples.height),
      static_cast<int>(samples.width * channels), &encoded);
  const std::unique_ptr<std::uint8_t, decltype(&WebPFree)> owner(encoded, WebPFree);
  if (size == 0) shortage.check();
  if (size == 0) throw Error(ErrorCode::internal, "an image could not be encoded as WebP");
  std::string out(reinterpret_cast<const char*>(encoded), size);
  if (samples.tags.icc_profile.empty() && samples.tags.exif.empty()) return out;
  const Mux mux(WebPMuxNew(), WebPMuxDelete);
  const WebPData image = as_data(out), icc = as_data(samples.tags.icc_profile),
                 exif = as_data(samples.tags.exif);
  WebPData assembled{};
  bool held = mux != nullptr && WebPMuxSetImage(mux.get(), &image, 0) == WEBP_MUX_OK;
  if (icc.size > 0) held = held && WebPMuxSetChunk(mux.get(), kIccChunk, &icc, 0) == WEBP_MUX_OK;
  if (exif.size > 0) held = held && WebPMuxSetChunk(mux.get(), kExifChunk, &exif, 0) == WEBP_MUX_OK;
  held = held && WebPMuxAssemble(mux.get(), &assembled) == WEBP_MUX_OK;
  const std::unique_ptr<const std::uint8_t, void (*)(const std::uint8_t*)> whole(
      assembled.bytes, [](const std::uint8_t* bytes) { WebPFree(const_cast<std::uint8_t*>(bytes)); });
  if (!held) shortage.check();
  if (!held) throw Error(ErrorCode::internal, "the profile of an image could not be written as WebP");
  return {reinterpret_cast<const char*>(assembled.bytes), assembled.size};
}

}  // namespace parsimony

#else

namespace parsimony {
namespace {

[[noreturn]] void refuse_webp(const std::string& name) {
  throw Error(ErrorCode::unsupported,
              name +
                  ": WebP is not in this build, because libwebp was not found (Debian and Ubuntu: "
                  "libwebp-dev); convert it to PNG: dwebp in.webp -o out.png");
}

}  // namespace

Samples decode_webp(std::string_view, const std::string& name, std::int64_t) {
  refuse_webp(name);
}
std::string encode_webp(const Samples&) {
  refuse_webp("the image to write");
}

}  // namespace parsimony

#endif
