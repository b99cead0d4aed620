// Both ways: the input as a compressed stream (gzip or zstd), and as plain bytes through the writers and
// back.
#include "check.hpp"
#include "core/files/compression.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  constexpr std::int64_t kMost = 1 << 20;
  const std::string bytes = fuzz::as_string(data, size);
  fuzz::value_or_error([&] {
    const std::string out = decompress(bytes, compression_of_content(bytes), "input", kMost);
    fuzz::check(static_cast<std::int64_t>(out.size()) <= kMost || out == bytes, "the limit holds");
  });
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    std::string packed;
    const auto compressor = make_compressor(compression, [&](std::string_view piece) { packed += piece; });
    compressor->write(bytes);
    compressor->finish();
    fuzz::check(compression_of_content(packed) == compression, "its magic number is known");
    fuzz::check(decompress(packed, compression, "packed", 0) == bytes, "packed and unpacked is the same");
  }
  return 0;
}
