#include "parsimony/core/image.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <limits>

#include "core/images/png_format.hpp"
#include "expect_error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/core/random.hpp"
#include "temporary_directory.hpp"

namespace parsimony::image_test {
namespace {

// Random samples of that many bits, on the scale of an image.
Image random_image(std::int64_t height, std::int64_t width, int channels, int bits, std::uint64_t seed) {
  Image image;
  image.bits = bits;
  image.alpha = channels % 2 == 0;
  const RandomStream random(seed, "test");
  const std::uint64_t levels = bits == 8 ? 256 : 65536;
  for (int c = 0; c < channels; ++c) {
    Matrix<float> plane(height, width);
    std::uint64_t position = static_cast<std::uint64_t>(c * height * width);
    for (float& value : plane.values()) {
      value = static_cast<float>(static_cast<double>(random.below(levels, position++)) * 255 /
                                 static_cast<double>(levels - 1));
    }
    image.channels.push_back(std::move(plane));
  }
  return image;
}

// Whether this build has the library of a format.
bool has(const char* ending) {
  const TemporaryDirectory directory;
  try {
    check_image(directory / ("a" + std::string(ending)), random_image(1, 1, 1, 8, 1));
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(std::string(error.what()).find("-dev"), std::string::npos) << "names the package";
    return false;
  }
}

void expect_same(const Image& a, const Image& b) {
  EXPECT_EQ(a.bits, b.bits);
  EXPECT_EQ(a.alpha, b.alpha);
  ASSERT_EQ(a.channels.size(), b.channels.size());
  ASSERT_EQ(a.height(), b.height());
  ASSERT_EQ(a.width(), b.width());
  for (std::size_t c = 0; c < a.channels.size(); ++c) {
    const auto left = a.channels[c].values(), right = b.channels[c].values();
    EXPECT_TRUE(std::equal(left.begin(), left.end(), right.begin())) << "channel " << c;
  }
}

std::string big_endian(std::size_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16 & 255),
          static_cast<char>(value >> 8 & 255), static_cast<char>(value & 255)};
}

std::string chunk(const std::string& kind_and_data) {
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(kind_and_data.data()), static_cast<uInt>(kind_and_data.size()));
  return big_endian(kind_and_data.size() - 4) + kind_and_data + big_endian(sum);
}

// A PNG put together without libpng; rows with their filter bytes.
std::string png(std::size_t width, std::size_t height, int bits, int color, const std::string& rows,
                const std::string& chunks = "", bool interlaced = false) {
  uLongf size = compressBound(rows.size());
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()),
           rows.size());
  packed.resize(size);
  const std::string header = {static_cast<char>(bits), static_cast<char>(color), 0, 0, interlaced};
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR" + big_endian(width) + big_endian(height) + header) + chunks +
         chunk("IDAT" + packed) + chunk("IEND");
}

std::vector<float> values_of(const Image& image, std::size_t channel = 0) {
  const auto values = image.channels.at(channel).values();
  return {values.begin(), values.end()};
}

TEST(Images, AreReadAsTheyWereWritten) {
  const TemporaryDirectory directory;
  std::uint64_t seed = 0;
  for (const int bits : {8, 16}) {
    for (const int channels : {1, 2, 3, 4}) {
      for (const auto& [height, width] : {std::pair{1, 1}, {1, 9}, {17, 1}, {13, 22}}) {
        const Image image = random_image(height, width, channels, bits, ++seed);
        for (const char* name : {"a.png", "a.pgm", "a.ppm.gz", "a.pam", "a.BMP", "a.tif"}) {
          if (image.alpha && (name[3] == 'g' || name[3] == 'p' || name[3] == 'M')) continue;
          if (bits == 16 && name[3] == 'M') continue;
          if (!has(".tif") && name[2] == 't') continue;
          SCOPED_TRACE(::testing::Message() << name << ", " << channels << " channels, " << bits << " bits");
          write_image(directory / name, image);
          expect_same(image, read_image(directory / name));
        }
      }
    }
  }
}

TEST(Images, KeepFloatsInNpy) {
  const TemporaryDirectory directory;
  Matrix<float> values(2, 3);
  for (std::int64_t i = 0; i < 6; ++i) values.data()[i] = 0.1f * static_cast<float>(i) - 300;
  write_npy(directory / "a.npy", values.view());
  const Image image = read_image(directory / "a.npy");
  EXPECT_EQ(image.bits, 32);
  write_image(directory / "b.npy", image);
  EXPECT_EQ(TemporaryDirectory::content(directory / "a.npy"),
            TemporaryDirectory::content(directory / "b.npy"));
}

TEST(Images, AreRoundedAndClippedToTheirBits) {
  const TemporaryDirectory directory;
  Image image;
  image.channels.emplace_back(1, 5);
  const float values[] = {-3, 0.49f, 127.5f, 254.6f, 1e9f};
  std::copy(std::begin(values), std::end(values), image.channels[0].data());
  write_image(directory / "a.png", image);
  EXPECT_EQ(values_of(read_image(directory / "a.png")), (std::vector<float>{0, 0, 128, 255, 255}));
  image.bits = 16;
  write_image(directory / "b.png", image);
  const auto fine = values_of(read_image(directory / "b.png"));
  EXPECT_EQ(values_of(as_stored(image)), fine);
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(fine[i], std::clamp(values[i], 0.0f, 255.0f), 0.5 / 257 + 1e-5);
}

TEST(Png, OfAnyKindIsExpanded) {
  const auto values = [](const std::string& bytes, std::size_t channel = 0) {
    return values_of(parse_image(bytes, "x"), channel);
  };
  using Values = std::vector<float>;
  using namespace std::string_literals;
  EXPECT_EQ(values(png(3, 1, 1, 0, "\0\xa0"s)), (Values{255, 0, 255}));
  EXPECT_EQ(values(png(2, 1, 4, 0, "\0\x1f"s)), (Values{17, 255}));
  EXPECT_EQ(values(png(2, 2, 8, 0, "\0\x01\0\x02\0\x03\x04"s, "", true)), (Values{1, 2, 3, 4}))
      << "interlaced";
  EXPECT_EQ(values(png(1, 1, 16, 0, "\0\x01\x01"s)), (Values{1}));
  const std::string palette = chunk("PLTE\x01\x02\x03\x04\x05\x06");
  const std::string colors = png(2, 1, 8, 3, "\0\1\0"s, palette);
  EXPECT_EQ(parse_image(colors, "x").channels.size(), 3u);
  EXPECT_EQ(values(colors, 0), (Values{4, 1}));
  EXPECT_EQ(values(colors, 2), (Values{6, 3}));
  const Image cut_out = parse_image(png(2, 1, 8, 3, "\0\1\0"s, palette + chunk("tRNS\x80")), "x");
  EXPECT_TRUE(cut_out.alpha);
  EXPECT_EQ(cut_out.colors(), 3);
  EXPECT_EQ(values_of(cut_out, 3), (Values{255, 128}));
  // Gamma is that of a screen: the values stay.
  EXPECT_EQ(values(png(1, 1, 8, 0, "\0\x40"s, chunk("gAMA" + big_endian(100000)))), (Values{64}));
}

TEST(Pnm, OfAnyKindIsRead) {
  const auto values = [](const std::string& bytes) { return values_of(parse_image(bytes, "x")); };
  using Values = std::vector<float>;
  EXPECT_EQ(values("P2 # grey\n3 1\n#max\n15\n0 15\n 5\n"), (Values{0, 255, 85}));
  EXPECT_EQ(values(std::string("P5\n2 1 65535\n\1\1\xff\xff", 17)), (Values{1, 255}));
  const Image color = parse_image("P3 1 1 255 1 2 3", "x");
  EXPECT_EQ(color.colors(), 3);
  EXPECT_EQ(color.channels[2](0, 0), 3);
  EXPECT_EQ(parse_image("P6 1 1 255 \n\x0b\x0c", "x").channels[0](0, 0), 10);
}

TEST(Pnm, OfBitsAndOfAnyChannels) {
  using namespace std::string_literals;
  using Values = std::vector<float>;
  const auto values = [](const std::string& bytes) { return values_of(parse_image(bytes, "x")); };
  EXPECT_EQ(values("P1 # black is 1\n3 2\n101\n0 1 0"), (Values{0, 255, 0, 255, 0, 255}));
  EXPECT_EQ(values("P4 9 2\n\x80\x80\x01\x00"s),
            (Values{0, 255, 255, 255, 255, 255, 255, 255, 0, 255, 255, 255, 255, 255, 255, 255, 0, 255}));
  const Image pam = parse_image(
      "P7\n# a comment\nWIDTH 1\nHEIGHT 2\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\n"
      "ENDHDR\n\1\2\3\4\5\6\7\x08",
      "x");
  EXPECT_TRUE(pam.alpha);
  EXPECT_EQ(values_of(pam, 3), (Values{4, 8}));
  expect_error(ErrorCode::format, "a pixel must be 0 or 1", [] { parse_image("P1 2 1\n12", "x"); });
  expect_error(ErrorCode::format, "has WIDTH, HEIGHT, DEPTH",
               [] { parse_image("P7\nWIDTH 3\nENDHDR\n", "x"); });
  expect_error(ErrorCode::format, "the depth must be", [] { parse_image("P7\nDEPTH 9\nENDHDR\n", "x"); });
}

// Grey and two rows of colours, put together from the format's description.
TEST(Bmp, OfAnyKindIsRead) {
  using namespace std::string_literals;
  const auto bmp = [](int width, int height, int bits, const std::string& palette, const std::string& rows) {
    const auto little = [](std::int64_t value, int bytes) {
      std::string out;
      for (int i = 0; i < bytes; ++i, value >>= 8) out += static_cast<char>(value & 255);
      return out;
    };
    return "BM" + little(0, 8) + little(54 + std::ssize(palette), 4) + little(40, 4) + little(width, 4) +
           little(height, 4) + little(1, 2) + little(bits, 2) + little(0, 16) +
           little(std::ssize(palette) / 4, 4) + little(0, 4) + palette + rows;
  };
  const Image color = parse_image(bmp(1, 2, 24, "", "\1\2\3\0\4\5\6\0"s), "x");
  EXPECT_EQ(values_of(color, 0), (std::vector<float>{6, 3})) << "red, from the bottom up";
  EXPECT_EQ(values_of(parse_image(bmp(1, -2, 24, "", "\1\2\3\0\4\5\6\0"s), "x"), 2),
            (std::vector<float>{1, 4}));
  const Image bits = parse_image(bmp(3, 1, 1, "\0\0\0\0\x09\x09\x09\0"s, "\xa0\0\0\0"s), "x");
  EXPECT_EQ(bits.channels.size(), 1u) << "a palette of greys";
  EXPECT_EQ(values_of(bits), (std::vector<float>{9, 0, 9}));
  const Image fours = parse_image(bmp(3, 1, 4, "\0\0\0\0\x01\x02\x03\0"s, "\x10\x10\0\0"s), "x");
  EXPECT_EQ(values_of(fours, 0), (std::vector<float>{3, 0, 3}));
  EXPECT_EQ(parse_image(bmp(1, 1, 32, "", "\1\2\3\x09"s), "x").channels.size(), 3u) << "no alpha is stated";
  expect_error(ErrorCode::format, "colour 1 of a palette of 1",
               [&] { parse_image(bmp(1, 1, 8, "\0\0\0\0"s, "\1\0\0\0"s), "x"); });
  expect_error(ErrorCode::unsupported, "of 16 bits",
               [&] { parse_image(bmp(1, 1, 16, "", "\1\2\3\4"), "x"); });
  expect_error(ErrorCode::format, "cannot be in",
               [&] { parse_image(bmp(9000, 9000, 8, "\0\0\0\0"s, "\0"s), "x"); });
}

TEST(Images, KeepFloatsInPfmAndTiff) {
  const TemporaryDirectory directory;
  for (const std::size_t channels : {1u, 3u}) {
    Image image{{}, 32, false};
    for (std::size_t c = 0; c < channels; ++c) {
      image.channels.emplace_back(3, 5);
      for (std::int64_t i = 0; i < 15; ++i)
        image.channels[c].data()[i] = 0.1f * static_cast<float>(i) - 300 * c;
    }
    for (const char* name : {"a.pfm", "a.tif", "a.npy"}) {
      if (name[2] == 't' && !has(".tif")) continue;
      write_image(directory / name, image);
      expect_same(image, read_image(directory / name));
    }
  }
  using namespace std::string_literals;
  EXPECT_EQ(values_of(parse_image("Pf 1 2 1.0\n\x3f\x80\0\0\x40\0\0\0"s, "x")), (std::vector<float>{2, 1}))
      << "big-endian, from the bottom up";
  expect_error(ErrorCode::format, "4 bytes of pixels in a PFM of 2 × 2; must be 16",
               [] { parse_image("Pf 2 2 -1\nabcd", "x"); });
}

TEST(Images, OfNpyHaveChannelsBehindOrOneBefore) {
  using namespace std::string_literals;
  const TemporaryDirectory directory;
  const auto array = [&](const std::string& shape, const std::string& data, const char* descr = "|u1",
                         const char* fortran = "False") {
    std::string header =
        "{'descr': '"s + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
    header.append(117 - header.size(), ' ');
    write_file(directory / "a.npy", "\x93NUMPY\1\0\x76\0"s + header + "\n" + data);
    return read_image(directory / "a.npy");
  };
  const Image color = array("(2, 1, 3)", "\1\2\3\4\5\6");
  ASSERT_EQ(color.channels.size(), 3u);
  EXPECT_EQ(values_of(color, 1), (std::vector<float>{2, 5}));
  EXPECT_EQ(values_of(array("(2, 1, 3)", "\1\2\3\4\5\6", "|u1", "True"), 1), (std::vector<float>{3, 4}));
  EXPECT_TRUE(array("(1, 1, 4)", "\1\2\3\4").alpha);
  EXPECT_EQ(values_of(array("(2, 3, 1)", "\1\2\3\4\5\6")), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  const Image first = array("(1, 2, 8)", "abcdefghijklmnop");
  EXPECT_EQ(first.height(), 2);
  EXPECT_EQ(first.width(), 8);
  EXPECT_EQ(values_of(array("(1, 2)", "\0\x3c\0\xc0"s, "<f2")), (std::vector<float>{1, -2})) << "float16";
  expect_error(ErrorCode::format, "shape (3, 2, 5)", [&] { array("(3, 2, 5)", std::string(30, 'a')); });
}

TEST(Png, KeepsWhatItsChunksSay) {
  using namespace std::string_literals;
  const TemporaryDirectory directory;
  const std::string exif = "MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"s;
  std::string primaries;
  for (const std::size_t value : {31270u, 32900u, 64000u, 33000u, 30000u, 60000u, 15000u, 6000u})
    primaries += big_endian(value);
  const std::string srgb = chunk("sRGB\1"), gamma = chunk("gAMA" + big_endian(45455)),
                    colors = chunk("cHRM" + primaries),
                    density = chunk("pHYs" + big_endian(2835) + big_endian(2834) + "\1"),
                    orientation = chunk("eXIf" + exif);
  write_file(directory / "a.png",
             png(1, 1, 8, 2, "\0\1\2\3"s, srgb + gamma + colors + density + orientation));
  write_image(directory / "b.png", read_image(directory / "a.png"));
  const std::string written = TemporaryDirectory::content(directory / "b.png");
  for (const std::string& kept : {srgb, gamma, colors, density, orientation}) {
    EXPECT_NE(written.find(kept), std::string::npos) << kept.substr(4, 4);
  }
  const ImageTags tags = read_image(directory / "b.png").tags;
  EXPECT_EQ(tags.exif, exif);
  EXPECT_EQ(tags.gamma, 45455);
  // A gamma of a picture that is not for screens stays too.
  write_file(directory / "c.png", png(1, 1, 8, 0, "\0\1"s, chunk("gAMA" + big_endian(100000))));
  EXPECT_EQ(read_image(directory / "c.png").tags.gamma, 100000);
  // A broken chunk that does not matter does not stop the reading.
  EXPECT_EQ(values_of(parse_image(png(1, 1, 8, 0, "\0\7"s, chunk("eXIfxx")), "x")), (std::vector<float>{7}));
}

// A profile that libpng takes: a header of 128 bytes, no tags, and bytes that do not compress.
std::string made_profile(const char* space) {
  std::string profile(132, '\0');
  for (int i = 0; i < 128; ++i) profile += static_cast<char>(i * i * 37 % 251);
  const auto put = [&](std::size_t at, std::string_view text) { profile.replace(at, text.size(), text); };
  put(0, big_endian(profile.size()));
  put(8, std::string_view("\2\x10\0\0", 4));
  put(12, "mntr");
  put(16, space);
  put(20, "XYZ ");
  put(36, "acsp");
  put(68, std::string_view("\0\0\xf6\xd6\0\1\0\0\0\0\xd3\x2d", 12));
  return profile;
}

TEST(Images, KeepTheProfileTheExifAndTheDensity) {
  const TemporaryDirectory directory;
  Image image = random_image(9, 8, 3, 8, 4);
  image.tags.icc_profile = made_profile("RGB ");
  image.tags.exif = std::string("MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", 26);
  image.tags.pixels_per_metre = {2800, 2900};
  for (const char* ending : {".png", ".jpg", ".webp", ".tiff"}) {
    if (!has(ending)) continue;
    SCOPED_TRACE(ending);
    const auto path = directory / ("a" + std::string(ending));
    write_image(path, image);
    const Image found = read_image(path);
    EXPECT_EQ(found.tags.icc_profile, image.tags.icc_profile);
    EXPECT_EQ(found.tags.exif, image.tags.exif);
    const std::string bytes = TemporaryDirectory::content(path);
    EXPECT_EQ(bytes.find(image.tags.exif), bytes.rfind(image.tags.exif)) << "once";
    const bool has_density = std::string(ending) != ".webp", lossless = std::string(ending) != ".jpg";
    EXPECT_NEAR(found.tags.pixels_per_metre[1], has_density ? 2900 : 0, 1);
    for (std::size_t c = 0; lossless && c < 3; ++c) EXPECT_EQ(values_of(found, c), values_of(image, c));
  }
  // A profile of colours does not suit a grey image: it is left out.
  Image grey = random_image(3, 3, 1, 8, 1);
  grey.tags.icc_profile = made_profile("RGB ");
  write_image(directory / "grey.png", grey);
  EXPECT_EQ(read_image(directory / "grey.png").tags.icc_profile, "");
}

TEST(Jpeg, IsNearTheImageAndRead) {
  if (!has(".jpg")) GTEST_SKIP() << "without libjpeg";
  const TemporaryDirectory directory;
  for (const int channels : {1, 3}) {
    Image image = random_image(24, 40, channels, 8, 2);
    for (auto& channel : image.channels) {
      for (std::int64_t i = 0; i < channel.size(); ++i)
        channel.data()[i] = static_cast<float>(i % 40 * 5 + i / 40);
    }
    write_image(directory / "a.jpg", image);
    std::filesystem::copy_file(directory / "a.jpg", directory / "named.png",
                               std::filesystem::copy_options::overwrite_existing);
    const Image found = read_image(directory / "named.png");
    expect_same(found, as_stored(image, directory / "a.jpg"));
    ASSERT_EQ(found.channels.size(), static_cast<std::size_t>(channels));
    for (std::int64_t i = 0; i < 24 * 40; ++i) {
      EXPECT_NEAR(found.channels[0].data()[i], image.channels[0].data()[i], 4);
    }
  }
  const std::string whole = TemporaryDirectory::content(directory / "a.jpg");
  expect_error(ErrorCode::format, "x: broken JPEG",
               [&] { parse_image(whole.substr(0, whole.size() / 2), "x"); });
}

TEST(Webp, IsLossless) {
  if (!has(".webp")) GTEST_SKIP() << "without libwebp";
  const TemporaryDirectory directory;
  for (const int channels : {3, 4}) {
    Image image = random_image(12, 7, channels, 8, 3);
    if (channels == 4) std::ranges::fill(image.channels[3].values(), 77.0f);
    write_image(directory / "a.webp", image);
    expect_same(read_image(directory / "a.webp"), image);
  }
  const std::string whole = TemporaryDirectory::content(directory / "a.webp");
  expect_error(ErrorCode::format, "x: ", [&] { parse_image(whole.substr(0, whole.size() - 9), "x"); });
}

TEST(Images, OfOtherKindsAreNamedWithTheWayOut) {
  using namespace std::string_literals;
  const auto refuse = [](const std::string& piece, const std::string& bytes) {
    expect_error(ErrorCode::unsupported, piece, [&] { parse_image(bytes, "x.png"); });
  };
  std::string dicom(140, '\0');
  dicom.replace(128, 4, "DICM");
  refuse("x.png: a GIF: convert it to PNG first: magick x.png out.png", "GIF89a......");
  refuse("DICOM: take its pixels with pydicom", dicom);
  refuse("HEIC",
         "\0\0\0\x18"
         "ftypheic"s);
  refuse("AVIF",
         "\0\0\0\x18"
         "ftypavif"s);
  refuse("raw photograph (CR2): develop it", "II*\0\x10\0\0\0CR\2\0"s);
  refuse("an array of NumPy: name it .npy", "\x93NUMPY\1\0"s);
  refuse("JPEG 2000", "\0\0\0\x0cjP  "s);
}

TEST(Images, BrokenAnywhereGiveAValueOrAnError) {
  const TemporaryDirectory directory;
  for (const std::string name :
       {"a.png", "a.pgm", "a.ppm", "a.pam", "a.bmp", "a.pfm", "a.jpg", "a.webp", "a.tif"}) {
    if (!has(name.c_str() + 1)) continue;
    SCOPED_TRACE(name);
    write_image(directory / name, random_image(5, 4, name == "a.pgm" ? 1 : 3, 16, 3));
    const std::string whole = TemporaryDirectory::content(directory / name);
    // The last bytes of a JPEG, a WebP and a TIFF say nothing about the pixels.
    const std::size_t needed = name == "a.tif" || name == "a.webp" ? 8
                               : name == "a.jpg"                   ? whole.size() - 2
                                                                   : whole.size();
    for (std::size_t length = 0; length < needed; ++length) {
      try {
        parse_image(whole.substr(0, length), "cut");
        ADD_FAILURE() << name << " of " << length << " bytes";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::format) << error.what();
      }
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const int flip : {1, 0x80, 0xff}) {
        std::string broken = whole;
        broken[at] = static_cast<char>(broken[at] ^ flip);
        try {
          const Image image = parse_image(broken, "flipped", 1 << 20);
          EXPECT_GT(image.width() * image.height(), 0);
        } catch (const Error& error) {
          EXPECT_NE(error.code(), ErrorCode::internal) << error.what();
        }
      }
    }
  }
}

TEST(Images, SayWhatIsWrong) {
  using namespace std::string_literals;
  const auto refuse = [](ErrorCode code, const std::string& piece, const std::string& bytes,
                         std::int64_t limit = 0) {
    expect_error(code, piece, [&] { parse_image(bytes, "x.png", limit); });
  };
  const std::string good = png(2, 1, 8, 0, "\0\1\2"s);
  refuse(ErrorCode::format, "x.png: the file is empty", "");
  refuse(ErrorCode::format, "x.png: not an image that is known; PNG, JPEG", "hello");
  refuse(ErrorCode::format, "x.png: truncated PNG: it ends after 50 bytes", good.substr(0, 50));
  refuse(ErrorCode::format, "truncated PNG: 10000 × 20000 pixels cannot be in",
         png(10000, 20000, 1, 0, "\0"s));
  refuse(ErrorCode::format, "x.png: broken PNG: ", png(2, 2, 8, 0, "\0\1\2"s));  // a row is missing
  refuse(ErrorCode::unsupported, "images of up to 2^28", png(100000, 100000, 8, 0, "\0"s));
  refuse(ErrorCode::memory_limit, "above the limit of 40", good, 40);
  refuse(ErrorCode::format, "byte 3: the width must be a number of 1 to", "P5 x");
  refuse(ErrorCode::format, "the height must be", "P5 2 0 255 ");
  refuse(ErrorCode::format, "the maximum must be a number of 1 to 65535", "P5 1 1 65536 ");
  refuse(ErrorCode::format, "truncated PNM: it ends before the maximum", "P5 1 1");
  refuse(ErrorCode::format, "truncated PNM: 9 × 9 pixels cannot be in 2 bytes", "P5 9 9 255 ab");
  refuse(ErrorCode::format, "the sample 9 is above the maximum 7", "P5 1 1 7 \t");
  refuse(ErrorCode::format, "more than one image", "P2 1 1 7 3 9");

  const TemporaryDirectory directory;
  const auto refuse_write = [&](const std::string& piece, const char* name, const Image& image) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { write_image(directory / name, image); });
    EXPECT_FALSE(std::filesystem::exists(directory / name));
  };
  refuse_write("no pixels", "a.png", {});
  Image image = random_image(2, 2, 2, 8, 1);
  for (const char* name : {"a.pgm", "a.bmp", "a.pfm"}) refuse_write("no alpha", name, image);
  image.alpha = false;
  refuse_write("2 colours", "a.png", image);
  image = random_image(2, 2, 3, 8, 1);
  image.channels[2] = Matrix<float>(2, 3);
  refuse_write("the image to write: the channels differ in shape: 2 × 2 and 3 × 2 pixels", "a.png", image);
  image = random_image(2, 2, 1, 8, 1);
  image.channels[0](1, 1) = std::numeric_limits<float>::quiet_NaN();
  refuse_write("NaN", "a.png", image);
  expect_error(ErrorCode::unsupported, "a.gif: images end in .png, .jpg",
               [&] { write_image(directory / "a.gif", random_image(1, 1, 1, 8, 1)); });
}

}  // namespace
}  // namespace parsimony::image_test
