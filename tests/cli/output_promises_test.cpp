// Outputs under faults: closed and full descriptors, limits, signals. The old files or the new ones, and one
// line.
#include "cli/command.hpp"

namespace parsimony::cli::output_promises_test {
namespace {

using namespace std::chrono_literals;

class OutputPromises : public Command {
 protected:
  // Runs `parsimony ARGUMENTS` in a shell, with redirections; stderr of the command goes to a file.
  Outcome shell(const std::string& before, const std::string& arguments,
                const std::string& redirections) const {
    const std::string line =
        before + " '" + places::command() + "' " + arguments + " 2> " + path("stderr") + " " + redirections;
    const int status = std::system(("bash -c \"" + line + "\"").c_str());
    return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), "",
            read_text(path("stderr"))};
  }
  std::string graph() const { return write("g.txt", "0 1\n1 2\n2 3\n3 0\n"); }

  bool has_temporary() const {
    const auto names = files();
    return std::any_of(names.begin(), names.end(),
                       [](const std::string& name) { return name.rfind(".parsimony-", 0) == 0; });
  }
};

TEST_F(OutputPromises, AClosedStandardOutputIsSaidAndNothingChanges) {
  const std::string input = graph();
  std::filesystem::create_symlink("/proc/self/fd/1", path("stdout-link"));
  const auto before = files();
  for (const std::string& arguments :
       {"convert " + input + " " + path("stdout-link"),
        "cluster " + input + " --clusters 2 -o " + path("stdout-link"), "convert " + input + " - ",
        "cluster " + input + " --clusters 2 -q -o " + path("l.txt"),
        "convert --json " + input + " " + path("c.mtx")}) {
    SCOPED_TRACE(arguments);
    expect_one_error(shell("", arguments, ">&-"), kFailed, {"the standard output is closed"});
    EXPECT_EQ(files(), before);
    EXPECT_TRUE(std::filesystem::is_symlink(path("stdout-link")));
  }
}

TEST_F(OutputPromises, ClosedDescriptorsDoNotGoToFiles) {
  const std::string input = graph();
  ASSERT_EQ(shell("", "convert " + input + " " + path("right.mtx"), "").code, 0);
  const Outcome outcome = shell("", "convert " + input + " " + path("c.mtx"), "<&- >&- 2>&-");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(read_text(path("c.mtx")), read_text(path("right.mtx")));
  expect_one_error(shell("", "convert - " + path("d.mtx"), "<&-"), kFailed, {"the standard input is closed"});
}

TEST_F(OutputPromises, AReportThatCannotBePrintedLeavesTheOldFiles) {
  const std::string input = graph();
  write("c.mtx", "old");
  for (const std::string& arguments : {"convert --json " + input + " " + path("c.mtx"),
                                       "cluster " + input + " --clusters 2 -q -o " + path("l.txt")}) {
    SCOPED_TRACE(arguments);
    expect_one_error(shell("", arguments, "> /dev/full"), kFailed, {"No space left on device"});
    EXPECT_EQ(files(), (std::vector<std::string>{"c.mtx", "g.txt"}));
    EXPECT_EQ(read_text(path("c.mtx")), "old");
  }
}

TEST_F(OutputPromises, AClosedPipeEndsTheRunWithoutFiles) {
  const std::string input = graph();
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  const auto before = files();
  // The reader of the pipe is gone before the command starts.
  const Outcome outcome = shell("exec 3<>" + path("pipe") + " 4>" + path("pipe") + " 3>&-; exec",
                                "cluster " + input + " --clusters 2 -o " + path("l.txt"), ">&4");
  EXPECT_EQ(outcome.code, 128 + SIGPIPE) << outcome.err;
  EXPECT_EQ(files(), before);
}

TEST_F(OutputPromises, TheLimitOfFileSizesIsSaid) {
  const std::string arguments = "generate sbm --nodes 3000 --clusters 3 -q -o " + path("g.mtx");
  expect_one_error(shell("ulimit -f 16;", arguments, ""), kFailed, {"g.mtx", "File too large", "ulimit -f"});
  EXPECT_TRUE(files().empty());
}

TEST_F(OutputPromises, WhatCannotBeWrittenIsRefusedBeforeTheWork) {
  const std::string broken = write("g.txt", "1 2\n2 x y z\n");  // would be told if it were read
  std::filesystem::create_symlink("b.mtx", path("a.mtx"));
  std::filesystem::create_symlink("a.mtx", path("b.mtx"));
  expect_one_error(run({"convert", broken, path("a.mtx")}), kFailed,
                   {"OUT", "Too many levels of symbolic links"});
  expect_one_error(run({"convert", broken, path(std::string(252, 'n') + ".mtx")}), kFailed,
                   {"File name too long"});
  expect_one_error(run({"convert", broken, path("no/such/c.mtx")}), kFailed, {"No such file"});
}

TEST_F(OutputPromises, AKilledRunLeavesNothingAfterTheNextOne) {
  const std::vector<std::string> arguments{"generate", "sbm", "--nodes", "100000",        "--clusters",
                                           "10",       "-q",  "-o",      path("g.txt.gz")};
  const pid_t process = start(arguments);
  int status = 0;
  while (!has_temporary() && waitpid(process, &status, WNOHANG) == 0) std::this_thread::sleep_for(1ms);
  kill(process, SIGKILL);
  EXPECT_EQ(finish(process).code, 128 + SIGKILL);
  ASSERT_TRUE(has_temporary());
  ASSERT_EQ(run({"convert", graph(), path("c.mtx")}).code, 0);
  EXPECT_EQ(files(), (std::vector<std::string>{"c.mtx", "g.txt"}));
}

// Not under the thread sanitizer, whose _exit() waits for the lock of the standard output.
TEST_F(OutputPromises, ASecondSignalLeavesNoTemporaryFile) {
  const std::string input = graph();
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  // The summary waits for a pipe that is full, after the files were written and before they appear.
  const int pipe = open(path("pipe").c_str(), O_RDWR | O_NONBLOCK);
  const std::string filling(1 << 16, 'x');
  while (::write(pipe, filling.data(), filling.size()) > 0) continue;
  const auto before = files();
  const pid_t process = fork();
  if (process == 0) {
    dup2(open(path("pipe").c_str(), O_WRONLY), STDOUT_FILENO);
    execl(places::command().c_str(), "parsimony", "cluster", input.c_str(), "--clusters", "2", "-o",
          path("l.txt").c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  for (int waits = 0; waits < 3000 && !has_temporary(); ++waits) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(has_temporary());
  int status = 0;
  for (int signals = 0; signals < 50 && waitpid(process, &status, WNOHANG) == 0; ++signals) {
    kill(process, SIGINT);
    std::this_thread::sleep_for(100ms);
  }
  if (kill(process, SIGKILL) == 0) waitpid(process, &status, 0);
  close(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == kCancelled) << status;
  EXPECT_EQ(files(), before);
}

TEST_F(OutputPromises, NamesFromFilesCannotChangeTheScreen) {
  // An escape sequence of one C1 character, an override of the direction, a raw byte, and letters that stay.
  const std::string name =
      "a\xc2\x9b"
      "31m\xe2\x80\xae"
      "b\x9b"
      "c\xd0\xb6\xe2\x86\x92\xf0\x9f\x98\x80";
  const std::string shown = "a\\u009b31m\\u202eb\\x9bc\xd0\xb6\xe2\x86\x92\xf0\x9f\x98\x80";
  const Outcome outcome = run({"convert", path(name + ".txt"), path("c.mtx")});
  expect_one_error(outcome, kFailed, {shown + ".txt"});
  EXPECT_EQ(outcome.err.find("\xc2\x9b"), std::string::npos);
  const Outcome lines = run({"convert", path("a\nb\x1b[31m.txt"), path("c.mtx")});
  expect_one_error(lines, kFailed, {"a\\u000ab\\u001b[31m.txt"});
}

TEST_F(OutputPromises, TablesAndReportsAreEscapedAndTabsAreKept) {
  const std::string header =
      "{\"w\xe2\x81\xa6\xc2\x85z\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
  std::string size(8, '\0');
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  size[0] = static_cast<char>(padded.size());
  const std::string model = write("m.safetensors", size + padded + std::string(8, '\0'));
  const Outcome table = run({"inspect", model});
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("w\\u2066\\u0085z"), std::string::npos) << table.out;
  const Outcome json = run({"inspect", model, "--json"});
  EXPECT_NE(json.out.find("w\\u2066\\u0085z"), std::string::npos) << json.out;
  EXPECT_EQ(json.out.find("\xe2\x81\xa6"), std::string::npos);
}

TEST_F(OutputPromises, LabelsAndAModelOfDifferentRunsAreNoticed) {
  std::string rows;
  for (int i = 0; i < 60; ++i)
    rows += std::to_string(i % 3 * 10 + i % 7 * .1) + "," + std::to_string(i % 5 * .1) + "\n";
  const std::string points = write("p.csv", rows);
  const auto cluster = [&](const char* clusters, const std::string& run_name) {
    const Outcome made = run({"cluster", points, "--points", "--neighbors", "5", "--clusters", clusters, "-o",
                              path(run_name + ".txt"), "--save-model", path(run_name + ".npz")});
    EXPECT_EQ(made.code, 0) << made.err;
  };
  cluster("3", "a");
  cluster("2", "b");
  EXPECT_EQ(
      run({"assign", path("a.npz"), points, "--labels", path("a.txt"), "-o", path("new.txt"), "-q"}).code, 0);
  EXPECT_EQ(read_text(path("new.txt")), read_text(path("a.txt")));
  EXPECT_EQ(run({"score", path("b.txt"), "--truth", path("a.txt"), "--model", path("b.npz")}).code, 0);
  const auto before = files();
  expect_one_error(run({"assign", path("a.npz"), points, "--labels", path("b.txt"), "-o", path("other.txt")}),
                   kFailed, {"b.txt", "a.npz", "different runs"});
  expect_one_error(run({"score", path("b.txt"), "--truth", path("a.txt"), "--model", path("a.npz")}), kFailed,
                   {"b.txt", "a.npz", "different runs"});
  EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace parsimony::cli::output_promises_test
