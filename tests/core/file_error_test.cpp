#include "parsimony/core/file_error.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <string>

#include "parsimony/core/file.hpp"
#include "temporary_directory.hpp"

namespace parsimony::file_error_test {
namespace {

// The error of the system, by its number and in words, with the name of the file.
void expect_number(int number, const std::filesystem::path& path, const std::function<void()>& body) {
  try {
    body();
    ADD_FAILURE() << "no error; expected: " << std::strerror(number);
  } catch (const FileError& error) {
    EXPECT_EQ(error.number(), number) << error.what();
    EXPECT_EQ(error.code(), ErrorCode::io);
    const std::string message = error.what();
    EXPECT_NE(message.find(path.string()), std::string::npos) << message;
    EXPECT_NE(message.find(std::strerror(number)), std::string::npos) << message;
  }
}

TEST(FileError, HasTheNumberOfTheSystem) {
  const TemporaryDirectory directory;
  const auto missing = directory / "missing", below = directory / "nowhere/file";
  expect_number(ENOENT, missing, [&] { read_file(missing); });
  expect_number(ENOENT, below, [&] { write_file(below, "x"); });
  const auto file = directory.file("file", "text");
  expect_number(ENOTDIR, file / "inside", [&] { read_file(file / "inside"); });
  expect_number(EISDIR, directory.path(), [&] { write_file(directory.path(), "x"); });
}

TEST(FileError, IsToldOfAFolderWithoutPermission) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const TemporaryDirectory directory;
  const auto closed = directory / "closed";
  std::filesystem::create_directory(closed);
  ASSERT_EQ(::chmod(closed.c_str(), 0500), 0);
  expect_number(EACCES, closed / "file", [&] { write_file(closed / "file", "x"); });
  expect_number(EACCES, closed, [&] { check_output_path(closed / "file"); });
  ASSERT_EQ(::chmod(closed.c_str(), 0700), 0);
}

TEST(FileError, IsToldOfAFullDevice) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "needs /dev/full";
  expect_number(ENOSPC, "/dev/full", [&] { write_file("/dev/full", "x"); });
}

TEST(FileError, KeepsItsNumberInASetOfFiles) {
  const TemporaryDirectory directory;
  OutputSet set;
  for (const char* name : {"first", "taken"}) write_file(set.file(directory / name), "new");
  std::filesystem::create_directory(directory / "taken");  // a file cannot be renamed over it
  expect_number(EISDIR, directory / "taken", [&] { set.commit(); });
  EXPECT_FALSE(std::filesystem::exists(directory / "first"));
}

}  // namespace
}  // namespace parsimony::file_error_test
