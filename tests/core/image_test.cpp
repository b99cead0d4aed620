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

namespace parsimony {
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
        for (const char* name : {"a.png", "a.pgm", "a.ppm.gz"}) {
          if (image.alpha && name[2] == 'p' && name[3] != 'n') continue;
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

TEST(Images, BrokenAnywhereGiveAValueOrAnError) {
  const TemporaryDirectory directory;
  for (const char* name : {"a.png", "a.pgm", "a.ppm"}) {
    write_image(directory / name, random_image(5, 4, name[2] == 'p' && name[3] == 'g' ? 1 : 3, 16, 3));
    const std::string whole = TemporaryDirectory::content(directory / name);
    for (std::size_t length = 0; length < whole.size(); ++length) {
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
  refuse(ErrorCode::format, "x.png: neither PNG nor PGM nor PPM", "GIF89a");
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
  refuse(ErrorCode::unsupported, "P4 files are not read", "P4 8 1 a");

  const TemporaryDirectory directory;
  const auto refuse_write = [&](const std::string& piece, const char* name, const Image& image) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { write_image(directory / name, image); });
    EXPECT_FALSE(std::filesystem::exists(directory / name));
  };
  refuse_write("no pixels", "a.png", {});
  Image image = random_image(2, 2, 2, 8, 1);
  refuse_write("no alpha", "a.pgm", image);
  image.alpha = false;
  refuse_write("2 colours", "a.png", image);
  image = random_image(2, 2, 3, 8, 1);
  refuse_write("1 channel, not of 3", "a.npy", image);
  image.channels[2] = Matrix<float>(2, 3);
  refuse_write("the image to write: the channels differ in shape: 2 × 2 and 3 × 2 pixels", "a.png", image);
  image = random_image(2, 2, 1, 8, 1);
  image.channels[0](1, 1) = std::numeric_limits<float>::quiet_NaN();
  refuse_write("NaN", "a.png", image);
  expect_error(ErrorCode::unsupported, "a.jpg: images end in .png, .pgm, .ppm or .npy",
               [&] { write_image(directory / "a.jpg", random_image(1, 1, 1, 8, 1)); });
}

}  // namespace
}  // namespace parsimony
