#include "core/files/mapped_file.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <numeric>

#include "expect_error.hpp"
#include "parsimony/core/file.hpp"
#include "resident_memory.hpp"
#include "temporary_directory.hpp"

namespace parsimony::mapped_file_test {
namespace {

namespace fs = std::filesystem;

TEST(MappedFile, IsKnownByItsAddressesWhileItIsMapped) {
  const TemporaryDirectory directory;
  const auto path = directory.file("a", std::string(10000, 'a'));
  const char* inside = nullptr;
  {
    const MappedFile file(path), other(directory.file("b", "b"));
    inside = file.bytes().data() + 9999;
    ASSERT_NE(mapped_file_at(inside), nullptr);
    EXPECT_EQ(mapped_file_at(inside), path.string());
    EXPECT_EQ(mapped_file_at(other.bytes().data()), (directory / "b").string());
    EXPECT_EQ(mapped_file_at(file.bytes().data() + 10000), nullptr);
  }
  EXPECT_EQ(mapped_file_at(inside), nullptr);
}

TEST(MappedFile, TellsThatItWasChanged) {
  const TemporaryDirectory directory;
  const auto path = directory.file("a", std::string(10000, 'a'));
  const MappedFile file(path);
  EXPECT_NO_THROW(file.check_unchanged());

  const auto opened = fs::last_write_time(path);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary) << 'b';
  fs::last_write_time(path, opened + std::chrono::milliseconds(1));  // the clock of files is coarse
  expect_error(ErrorCode::io, "a changed while it was read", [&] { file.check_unchanged(); });

  fs::resize_file(path, 10001);
  expect_error(ErrorCode::io, "a changed while it was read", [&] { file.check_unchanged(); });
  fs::resize_file(path, 9999);
  expect_error(ErrorCode::io, "a became shorter while it was read", [&] { file.check_unchanged(); });
}

TEST(MappedFile, ForgottenPagesCanBeReadAgain) {
  const TemporaryDirectory directory;
  constexpr std::size_t kSize = std::size_t{32} << 20;
  const auto path = directory.file("a", std::string(kSize, 'a'));
  const MappedFile file(path);
  const auto sum = [&] { return std::accumulate(file.bytes().begin(), file.bytes().end(), std::int64_t{0}); };
  const std::int64_t right = std::int64_t{'a'} * kSize;
  EXPECT_EQ(sum(), right);
  const std::int64_t before = testing::resident("RssFile");
  forget_mapped_pages(file.bytes().data() + 1, kSize - 1);
  if (before > 0) {
    EXPECT_LE(testing::resident("RssFile"), before - static_cast<std::int64_t>(kSize) / 2);
  }
  EXPECT_EQ(sum(), right);

  // Memory of others keeps its values.
  std::string other(kSize, 'b');
  forget_mapped_pages(other.data(), other.size());
  EXPECT_EQ(other, std::string(kSize, 'b'));
}

// Another file under its name does not touch the one that is open.
TEST(MappedFile, MayBeReplaced) {
  const TemporaryDirectory directory;
  const auto path = directory.file("a", std::string(10000, 'a'));
  const MappedFile file(path);
  write_file(path, "short");
  EXPECT_NO_THROW(file.check_unchanged());
  EXPECT_EQ(file.bytes(), std::string(10000, 'a'));
}

}  // namespace
}  // namespace parsimony::mapped_file_test
