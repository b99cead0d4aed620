#include "parsimony/core/output_file.hpp"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "expect_error.hpp"
#include "parsimony/core/file.hpp"
#include "temporary_directory.hpp"

namespace parsimony::output_file_test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

// Runs the body in a process of its own; its exit status, or minus the signal that ended it.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int code_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return 1 + static_cast<int>(error.code());
  }
  return 0;
}

bool is_root() {
  return ::geteuid() == 0;
}

TEST(OutputFile, ALinkIsFollowedToAFileThatIsNotThereYet) {
  const TemporaryDirectory directory;
  fs::create_directory(directory / "far");
  fs::create_symlink("far/second", directory / "first");
  fs::create_symlink("target", directory / "far/second");
  for (const std::string bytes : {"made", "replaced"}) {
    write_file(directory / "first", bytes);
    EXPECT_EQ(directory.content(directory / "far/target"), bytes);
    EXPECT_TRUE(fs::is_symlink(directory / "first"));
    EXPECT_TRUE(fs::is_symlink(directory / "far/second"));
  }
  EXPECT_EQ(names_in(directory / "far"), (std::vector<std::string>{"second", "target"}));
}

TEST(OutputFile, ALoopOfLinksIsRefused) {
  const TemporaryDirectory directory;
  fs::create_symlink("b", directory / "a");
  fs::create_symlink("a", directory / "b");
  for (const auto& write : {std::function<void()>([&] { write_file(directory / "a", "x"); }),
                            std::function<void()>([&] { check_output_path(directory / "a"); })}) {
    expect_error(ErrorCode::io, "Too many levels of symbolic links", write);
  }
  EXPECT_EQ(names_in(directory.path()), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(fs::is_symlink(directory / "a"));
}

TEST(OutputFile, ALinkOfAnotherUserIsNotFollowedInAFolderOfAll) {
  if (!is_root()) GTEST_SKIP() << "needs root";
  const TemporaryDirectory directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 01777), 0);
  fs::create_symlink("target", directory / "link");
  ASSERT_EQ(::lchown((directory / "link").c_str(), 12345, 12345), 0);
  expect_error(ErrorCode::io, "Permission denied", [&] { write_file(directory / "link", "x"); });
  EXPECT_FALSE(fs::exists(directory / "target"));
  ASSERT_EQ(::chmod(directory.path().c_str(), 0777), 0);
  write_file(directory / "link", "x");
  EXPECT_EQ(directory.content(directory / "target"), "x");
}

TEST(OutputFile, NothingIsMadeAmongDevices) {
  for (const char* path : {"/dev/parsimony-test", "/proc/parsimony-test", "/sys/parsimony-test"}) {
    expect_error(ErrorCode::io, "/dev, /proc and /sys", [&] { check_output_path(path); });
    expect_error(ErrorCode::io, "/dev, /proc and /sys", [&] { AtomicFile file(path); });
  }
  const TemporaryDirectory directory;
  fs::create_symlink("/dev/parsimony-test", directory / "link");
  expect_error(ErrorCode::io, "/dev, /proc and /sys", [&] { AtomicFile file(directory / "link"); });
}

TEST(OutputFile, ADescriptorIsContinuedWhereItStands) {
  const TemporaryDirectory directory;
  const auto path = directory.file("out", "0123456789");
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(::lseek(file, 4, SEEK_SET), 4);
  const std::string name = std::to_string(file);
  fs::create_symlink("/proc/self/fd/" + name, directory / "link");
  write_file("/dev/fd/" + name, "ab");
  write_file(directory / "link", "cd");
  ::close(file);
  EXPECT_EQ(directory.content(path), "0123abcd89");
  EXPECT_TRUE(fs::is_symlink(directory / "link"));
  const int reader = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  expect_error(ErrorCode::io, "not open for writing",
               [&] { write_file("/dev/fd/" + std::to_string(reader), "x"); });
  ::close(reader);
}

TEST(OutputFile, AClosedStandardOutputIsToldAndNothingIsMade) {
  const TemporaryDirectory directory;
  fs::create_symlink("/proc/self/fd/1", directory / "link");
  const int status = in_child([&] {
    ::close(STDOUT_FILENO);
    try {
      write_file(directory / "link", "x");
    } catch (const Error& error) {
      return std::string(error.what()) == "cannot write: the standard output is closed" ? 7 : 8;
    }
    return 9;
  });
  EXPECT_EQ(status, 7);
  EXPECT_TRUE(fs::is_symlink(directory / "link"));
}

TEST(OutputFile, NamesMayBeAsLongAsTheFileSystemAllows) {
  const TemporaryDirectory directory;
  const std::string longest(255, 'n');
  check_output_path(directory / longest);
  write_file(directory / longest, "x");
  write_file(directory / longest, "y");
  EXPECT_EQ(directory.content(directory / longest), "y");
  expect_error(ErrorCode::io, "File name too long", [&] { check_output_path(directory / (longest + "n")); });
}

TEST(OutputFile, PermissionsOfAReplacedFileAreKeptWhateverTheUmask) {
  const TemporaryDirectory directory;
  const auto mode_of = [](const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 07777;
  };
  const mode_t before = ::umask(0);
  for (const mode_t mask : {0, 022, 077, 0777}) {
    for (const mode_t mode : {0666, 0644, 0640, 0600, 0444, 0755, 0777, 02664, 04755}) {
      const auto path = directory.file("file", "old");
      ::umask(0);
      ASSERT_EQ(::chmod(path.c_str(), mode), 0);
      ::umask(mask);
      write_file(path, "new");
      EXPECT_EQ(mode_of(path), mode & 0777u) << std::oct << mode << " under umask " << mask;
      fs::remove(path);
      write_file(path, "new");
      EXPECT_EQ(mode_of(path), 0666u & ~mask) << "a new file";
      fs::remove(path);
    }
  }
  ::umask(before);
}

TEST(OutputFile, OwnerAndGroupOfAReplacedFileAreKept) {
  if (!is_root()) GTEST_SKIP() << "needs root";
  const TemporaryDirectory directory;
  const auto path = directory.file("file", "old");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  ASSERT_EQ(::chown(path.c_str(), 12345, 23456), 0);
  write_file(path, "new");
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 12345u);
  EXPECT_EQ(info.st_gid, 23456u);
  EXPECT_EQ(info.st_mode & 07777u, 0640u);
}

TEST(OutputFile, AGroupThatCannotBeKeptGetsNoMoreRightsThanAll) {
  if (!is_root()) GTEST_SKIP() << "needs root";
  const TemporaryDirectory directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0777), 0);
  const auto path = directory.file("file", "old");
  ASSERT_EQ(::chown(path.c_str(), 12345, 23456), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0664), 0);
  EXPECT_EQ(in_child([&] {
              if (::setgroups(0, nullptr) != 0 || ::setgid(12345) != 0 || ::setuid(12345) != 0) return 9;
              return code_of([&] { write_file(path, "new"); });
            }),
            0);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_gid, 12345u);
  EXPECT_EQ(info.st_mode & 07777u, 0644u);
}

TEST(OutputFile, ASharedFolderThatKeepsFilesOfOthersIsKnownBeforeTheWork) {
  if (!is_root()) GTEST_SKIP() << "needs root";
  const TemporaryDirectory directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 01777), 0);
  const auto path = directory.file("file", "old");
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
  const auto check_as_another = [&] {
    return in_child([&] {
      if (::setuid(12345) != 0) return 9;
      return code_of([&] { check_output_path(path); });
    });
  };
  EXPECT_EQ(check_as_another(), 1 + static_cast<int>(ErrorCode::io));
  ASSERT_EQ(::chmod(directory.path().c_str(), 0777), 0);
  EXPECT_EQ(check_as_another(), 0);
}

TEST(OutputFile, WhatAKilledProcessLeftIsRemovedAndWhatALivingOneWritesIsNot) {
  const TemporaryDirectory directory;
  const auto abandon = [&] {
    return in_child([&] {
      AtomicFile file(directory / "out");
      file.write("half");
      ::raise(SIGKILL);
      return 0;
    });
  };
  for (const bool only_checked : {false, true}) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(abandon(), -SIGKILL);
    EXPECT_EQ(names_in(directory.path()).size(), 1u) << "each removes that of the one before";
    AtomicFile living(directory / "other");
    living.write("whole");
    EXPECT_EQ(names_in(directory.path()).size(), 1u);
    only_checked ? check_output_path(directory / "out") : write_file(directory / "out", "new");
    living.commit();
    EXPECT_EQ(directory.content(directory / "other"), "whole");
    EXPECT_EQ(names_in(directory.path()).size(), only_checked ? 1u : 2u);
    fs::remove(directory / "out");
    fs::remove(directory / "other");
  }
}

TEST(OutputFile, OnlyOwnFilesWithTheNamesOfLeftoversAreRemoved) {
  const TemporaryDirectory directory;
  const std::string name = ".parsimony-0123456789abcdef01234567.partial";
  const auto now = fs::file_time_type::clock::now();
  const std::vector<std::string> kept{".parsimony-0123456789abcdef0123456.partial",
                                      ".parsimony-0123456789abcdef0123456g.partial",
                                      "out.12-3.partial.txt",
                                      "out.12-.partial",
                                      "out.1-2-3.partial",
                                      "another.12-3.partial"};
  for (const std::string& other : kept) {
    directory.file(other, "kept");
    fs::last_write_time(directory / other, now - std::chrono::hours(48));
  }
  directory.file("out.12-4.partial", "an earlier version may still write it");
  directory.file("out.12-3.partial", "left by an earlier version");
  fs::last_write_time(directory / "out.12-3.partial", now - std::chrono::hours(48));
  directory.file(name, "left");
  fs::create_symlink("out.12-4.partial", directory / ".parsimony-0123456789abcdef01234568.partial");
  fs::create_hard_link(directory / "out.12-4.partial",
                       directory / ".parsimony-0123456789abcdef01234569.partial");
  check_output_path(directory / "out");
  std::vector<std::string> expected = kept;
  expected.insert(expected.end(), {"out.12-4.partial", ".parsimony-0123456789abcdef01234568.partial",
                                   ".parsimony-0123456789abcdef01234569.partial"});
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(names_in(directory.path()), expected);
  if (!is_root()) return;
  directory.file(name, "of another user");
  ASSERT_EQ(::chown((directory / name).c_str(), 12345, 12345), 0);
  check_output_path(directory / "out");
  EXPECT_TRUE(fs::exists(directory / name));
}

TEST(OutputFile, AnEndWithoutDestructorsLeavesNothing) {
  const TemporaryDirectory directory;
  EXPECT_EQ(in_child([&] {
              AtomicFile first(directory / "first"), second(directory / "second");
              OutputSet set;
              write_file(set.file(directory / "third"), "x");
              if (names_in(directory.path()).size() != 3) return 1;
              remove_temporary_files();
              ::_exit(0);  // no destructor runs
            }),
            0);
  EXPECT_TRUE(names_in(directory.path()).empty());
}

TEST(OutputSet, AllFilesAppearAtOnce) {
  const TemporaryDirectory directory;
  directory.file("a", "old");
  {
    OutputSet set;
    write_file(set.file(directory / "a"), "lost");
    write_file(set.file(directory / "b"), "lost");
  }
  EXPECT_EQ(names_in(directory.path()), (std::vector<std::string>{"a"}));
  OutputSet set;
  for (const char* name : {"a", "b", "c.gz"}) write_file(set.file(directory / name), "new");
  EXPECT_EQ(directory.content(directory / "a"), "old");
  EXPECT_FALSE(fs::exists(directory / "b"));
  set.commit();
  EXPECT_EQ(names_in(directory.path()), (std::vector<std::string>{"a", "b", "c.gz"}));
  for (const char* name : {"a", "b", "c.gz"}) EXPECT_EQ(read_file(directory / name), "new");
}

TEST(OutputSet, AWriterOfSeveralFilesIsPartOfItsCallersSet) {
  const TemporaryDirectory directory;
  const auto write_two = [&](const OutputPath& path) {
    OutputSet own(path);
    write_file(own.file(path.path().string() + ".1"), "1");
    write_file(own.file(path.path().string() + ".2"), "2");
    own.commit();
  };
  OutputSet set;
  write_two(set.file(directory / "a"));
  EXPECT_FALSE(fs::exists(directory / "a.1"));
  set.commit();
  write_two(directory / "b");
  EXPECT_EQ(names_in(directory.path()), (std::vector<std::string>{"a.1", "a.2", "b.1", "b.2"}));
}

TEST(OutputSet, AFileThatCannotAppearLeavesTheOthersAsTheyWere) {
  const TemporaryDirectory directory;
  const auto old = directory.file("old", "old");
  ASSERT_EQ(::chmod(old.c_str(), 0640), 0);
  OutputSet set;
  for (const char* name : {"old", "fresh", "taken", "last"}) write_file(set.file(directory / name), "new");
  fs::create_directory(directory / "taken");  // a file cannot be renamed over it
  expect_error(ErrorCode::io, "taken", [&] { set.commit(); });
  EXPECT_EQ(directory.content(old), "old");
  struct stat info {};
  ASSERT_EQ(::stat(old.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777u, 0640u);
  EXPECT_EQ(names_in(directory.path()), (std::vector<std::string>{"old", "taken"}));
}

}  // namespace
}  // namespace parsimony::output_file_test
