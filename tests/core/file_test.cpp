#include "parsimony/core/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/files/compression.hpp"
#include "core/files/zip.hpp"
#include "expect_error.hpp"
#include "temporary_directory.hpp"

namespace parsimony::file_test {
namespace {

// Half repetition, half noise, over several of the compressors' buffers.
std::string sample(std::size_t size) {
  std::string bytes(size, 'a');
  std::uint64_t state = 1;
  for (std::size_t i = 0; i < size; i += 2) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    bytes[i] = static_cast<char>(state >> 56);
  }
  return bytes;
}

std::string compressed(const std::string& bytes, Compression compression) {
  std::string out;
  const auto compressor = make_compressor(compression, [&](std::string_view piece) { out += piece; });
  compressor->write(bytes);
  compressor->finish();
  return out;
}

TEST(File, WhatIsWrittenIsReadWhateverTheEnding) {
  const TemporaryDirectory directory;
  for (const std::size_t size : {0, 1, 1000, 1 << 20}) {
    const std::string bytes = sample(size);
    for (const std::string name : {"plain.txt", "a.gz", "b.zst"}) {
      write_file(directory / name, bytes);
      EXPECT_EQ(read_file(directory / name), bytes) << name << " of " << size;
    }
    EXPECT_EQ(directory.content(directory / "plain.txt"), bytes);
    EXPECT_EQ(compression_of_content(directory.content(directory / "a.gz")), Compression::gzip);
    EXPECT_EQ(compression_of_content(directory.content(directory / "b.zst")), Compression::zstd);
    // By content, not by name.
    directory.file("disguised.txt", directory.content(directory / "a.gz"));
    EXPECT_EQ(read_file(directory / "disguised.txt"), bytes);
  }
}

TEST(File, ConcatenatedStreamsAreOneFile) {
  const TemporaryDirectory directory;
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    const auto path =
        directory.file("two", compressed("first\n", compression) + compressed("second\n", compression));
    EXPECT_EQ(read_file(path), "first\nsecond\n");
  }
}

TEST(File, EveryTruncationIsAnError) {
  const TemporaryDirectory directory;
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    const std::string whole = compressed(sample(300), compression);
    for (std::size_t size = 4; size < whole.size();
         ++size) {  // with fewer bytes the magic number is incomplete
      const auto path = directory.file("cut", whole.substr(0, size));
      expect_error(ErrorCode::format, path.string(), [&] { read_file(path); });
    }
  }
}

TEST(File, EveryFlippedByteOfAStreamIsFoundOrHarmless) {
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    const std::string bytes = sample(200);
    std::string stream = compressed(bytes, compression);
    int found = 0;
    for (char& byte : stream) {
      byte ^= 0x10;
      try {
        EXPECT_EQ(decompress(stream, compression, "stream", 0),
                  bytes);  // only fields of no meaning may differ
      } catch (const Error&) {
        ++found;
      }
      byte ^= 0x10;
    }
    EXPECT_GT(found, static_cast<int>(stream.size()) - 12);
  }
}

TEST(File, LimitsBoundWhatIsDecompressed) {
  const TemporaryDirectory directory;
  const std::string zeros(10 << 20, '\0');
  for (const std::string name : {"bomb.gz", "bomb.zst"}) {
    write_file(directory / name, zeros);
    ASSERT_LT(std::filesystem::file_size(directory / name), 100000u);
    expect_error(ErrorCode::memory_limit, "1000000", [&] { read_file(directory / name, 1000000); });
    EXPECT_EQ(read_file(directory / name, 10 << 20).size(), zeros.size());  // exactly the limit is allowed
    expect_error(ErrorCode::memory_limit, name, [&] { read_file(directory / name, (10 << 20) - 1); });
  }
  const auto plain = directory.file("plain", "12345");
  EXPECT_EQ(read_file(plain, 5), "12345");
  expect_error(ErrorCode::memory_limit, "4 bytes", [&] { read_file(plain, 4); });
}

TEST(File, DecompressingIsCancelled) {
  const std::string bytes = sample(1 << 20);
  std::stop_source source;
  const std::stop_token stop = source.get_token();
  const std::string zip = make_zip({{"a", bytes}});
  const ZipMember member = list_zip(zip, "z").front();
  EXPECT_EQ(unpack_zip(member, "z", 0, stop), bytes);
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    EXPECT_EQ(decompress(compressed(bytes, compression), compression, "a", 0, stop), bytes);
  }
  source.request_stop();
  expect_error(ErrorCode::cancelled, "cancelled", [&] { unpack_zip(member, "z", 0, stop); });
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    expect_error(ErrorCode::cancelled, "cancelled",
                 [&] { decompress(compressed(bytes, compression), compression, "a", 0, stop); });
  }
}

TEST(File, WhatIsMissingOrADirectoryIsNamed) {
  const TemporaryDirectory directory;
  expect_error(ErrorCode::io, "nothing", [&] { read_file(directory / "nothing"); });
  expect_error(ErrorCode::io, directory.path().string(), [&] { read_file(directory.path()); });
  expect_error(ErrorCode::io, "no/such", [&] { write_file(directory / "no/such", "x"); });
}

TEST(AtomicFile, AppearsWholeOrNotAtAll) {
  const TemporaryDirectory directory;
  const auto path = directory.file("out", "old");
  {
    AtomicFile file(path);
    file.write("new");
    EXPECT_EQ(directory.content(path), "old");
  }
  EXPECT_EQ(directory.content(path), "old");
  const auto entries = [&] {
    return std::distance(std::filesystem::directory_iterator(directory.path()),
                         std::filesystem::directory_iterator());
  };
  EXPECT_EQ(entries(), 1);  // the temporary file is gone
  AtomicFile file(path);
  file.write("new");
  file.commit();
  EXPECT_EQ(directory.content(path), "new");
  EXPECT_EQ(entries(), 1);
}

TEST(AtomicFile, KeepsModeAndLinksAndWritesDevicesInPlace) {
  const TemporaryDirectory directory;
  const auto path = directory.file("target", "old");
  ::chmod(path.c_str(), 0640);
  std::filesystem::create_symlink("target", directory / "link");
  write_file(directory / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(directory / "link"));
  EXPECT_EQ(directory.content(path), "new");
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  write_file("/dev/null", "x");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(File, FramesToSkipAroundZstd) {
  const TemporaryDirectory directory;
  const std::string frame = compressed("0 1\n", Compression::zstd);
  const std::string table("\x5e\x2a\x4d\x18\x03\0\0\0abc",
                          11);  // the seek table of a seekable file has this form
  for (const std::string& bytes :
       {table + frame, frame + table, frame + table + frame, table + table + frame}) {
    const std::string once = bytes.find(frame) == bytes.rfind(frame) ? "0 1\n" : "0 1\n0 1\n";
    EXPECT_EQ(read_file(directory.file("s.zst", bytes)), once);
  }
  expect_error(ErrorCode::format, "truncated",
               [&] { read_file(directory.file("s.zst", frame + table.substr(0, 9))); });
}

TEST(File, OtherCompressionIsNamed) {
  const TemporaryDirectory directory;
  expect_error(ErrorCode::unsupported, "xz -d",
               [&] { read_file(directory.file("a.txt.xz", std::string("\xfd\x37zXZ\0\0\4", 8))); });
  expect_error(ErrorCode::unsupported, "bzip2 -d",
               [&] { read_file(directory.file("a.bz2", "BZh91AY&SY....")); });
  EXPECT_EQ(read_file(directory.file("a.txt", "BZh9 is a node\n")), "BZh9 is a node\n");
  for (const std::string start : {"BZh", "BZh9"}) EXPECT_EQ(read_file(directory.file("a.txt", start)), start);
  expect_error(ErrorCode::unsupported, "lz4 -d",
               [&] { read_file(directory.file("a.lz4", "\x04\x22\x4d\x18....")); });
}

TEST(Zip, MembersComeBackAndDamageIsFound) {
  const std::string bytes = sample(500);
  const std::string archive = make_zip({{"a.npy", bytes}, {"empty", ""}});
  const auto members = list_zip(archive, "z");
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].name, "a.npy");
  EXPECT_EQ(unpack_zip(members[0], "z", 0), bytes);
  EXPECT_EQ(unpack_zip(members[1], "z", 0), "");
  expect_error(ErrorCode::memory_limit, "a.npy", [&] { unpack_zip(members[0], "z", 499); });
  for (std::size_t size = 0; size < archive.size(); ++size) {
    expect_error(ErrorCode::format, "z: ", [&] { list_zip(std::string_view(archive).substr(0, size), "z"); });
  }
  std::string damaged = archive;
  for (std::size_t at = 0; at < archive.size(); ++at) {
    damaged[at] ^= 0x21;
    try {
      for (const ZipMember& member : list_zip(damaged, "z")) {
        const std::string out = unpack_zip(member, "z", 1 << 20);
        EXPECT_TRUE(out == bytes || out.empty()) << "byte " << at;
      }
    } catch (const Error&) {
    }
    damaged[at] = archive[at];
  }
}

}  // namespace
}  // namespace parsimony::file_test
