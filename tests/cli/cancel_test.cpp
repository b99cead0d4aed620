// Ctrl-C at any moment: 130 and no file, or the whole result.
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "cli/command.hpp"

namespace parsimony::cli {
namespace {

using namespace std::chrono_literals;

class Cancel : public Command {};

// With k-means repeated so often, nothing ends before the signal comes.
std::vector<std::string> endless(const std::string& graph, const std::string& output,
                                 const std::string& picture) {
  return {"cluster",     graph,     "--clusters", "50",       "--restarts", "10000",     "--method",
          "compressive", "--order", "100000",     "--output", output,       "--picture", picture};
}

// Whether the process has a handler for the signal, as Linux says.
bool takes_over(pid_t process, int signal) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigCgt:"))
      return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) == 1;
  }
  return false;
}

TEST_F(Cancel, LeavesNothingBehindWheneverItComes) {
  const std::string graph = block_model("g.mtx", 20000, 50);
  const auto before = files();
  std::mt19937 random(1);
  for (int trial = 0; trial < 8; ++trial) {
    const auto delay = std::chrono::milliseconds(random() % 400);
    SCOPED_TRACE("after " + std::to_string(delay.count()) + " ms");
    const pid_t process = start(endless(graph, path("labels.txt"), path("picture.png")));
    std::this_thread::sleep_for(delay);
    kill(process, trial % 2 == 0 ? SIGINT : SIGTERM);
    const Outcome outcome = finish(process);
    // A signal before the command takes it over ends the process by itself: a shell says 128 + 15 of SIGTERM
    // then.
    EXPECT_TRUE(outcome.code == 130 || (outcome.code == 143 && delay < 150ms)) << outcome.code << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(files(), before);
  }
}

TEST_F(Cancel, IsPrompt) {
  const std::string graph = block_model("g.mtx", 20000, 50);
  const pid_t process = start(endless(graph, path("labels.txt"), path("picture.png")));
  std::this_thread::sleep_for(300ms);
  const auto asked = std::chrono::steady_clock::now();
  kill(process, SIGINT);
  EXPECT_EQ(finish(process).code, 130);
  EXPECT_LT(std::chrono::steady_clock::now() - asked,
            5s);  // far below what the run would take, on a busy machine too
}

TEST_F(Cancel, GivesAllFilesOrNone) {
  const std::string graph = block_model("g.mtx", 20000, 20);
  const std::vector<std::string> arguments{"cluster",  graph,         "--clusters", "20",
                                           "--output", path("l.txt"), "--picture",  path("p.png")};
  const auto none = files();
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(run(arguments).code, 0);
  const auto whole =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  const std::string labels = read_text(path("l.txt")), picture = read_text(path("p.png"));
  const auto all = files();
  for (int part = 1; part <= 12; ++part) {
    std::filesystem::remove(path("l.txt"));
    std::filesystem::remove(path("p.png"));
    const pid_t process = start(arguments);
    std::this_thread::sleep_for(whole * part / 12);
    kill(process, SIGINT);
    const int code = finish(process).code;
    SCOPED_TRACE("code " + std::to_string(code) + " after part " + std::to_string(part));
    ASSERT_TRUE(code == 0 || code == 130);
    EXPECT_EQ(files(), code == 0 ? all : none);
    if (code == 0) {
      EXPECT_EQ(read_text(path("l.txt")), labels);
      EXPECT_EQ(read_text(path("p.png")), picture);
    }
  }
}

TEST_F(Cancel, AnOlderResultStaysAsItWas) {
  const std::string graph = block_model("g.mtx", 20000, 50);
  write("labels.txt", "older\n");
  const pid_t process = start(endless(graph, path("labels.txt"), path("picture.png")));
  std::this_thread::sleep_for(200ms);
  kill(process, SIGINT);
  EXPECT_EQ(finish(process).code, 130);
  EXPECT_EQ(read_text(path("labels.txt")), "older\n");
}

TEST_F(Cancel, IsNoticedWhileAPipeIsSilent) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  for (const bool has_writer : {false, true}) {
    SCOPED_TRACE(has_writer ? "a writer that says nothing" : "no writer yet");
    const int writer = has_writer ? open(path("pipe").c_str(), O_RDWR) : -1;
    const pid_t process = start({"cluster", path("pipe"), "--clusters", "2"});
    std::this_thread::sleep_for(500ms);
    kill(process, SIGINT);
    EXPECT_EQ(finish(process).code, 130);
    close(writer);
  }
}

// Where nothing looks at the stop token, one signal is enough, too.
TEST_F(Cancel, EndsARunThatDoesNotHearIt) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  const std::string labels = path("labels.txt");
  const pid_t process = start(
      {"generate", "sbm", "--nodes", "100", "--clusters", "2", "--labels", labels, "--output", path("pipe")});
  for (int waits = 0; waits < 3000 && !takes_over(process, SIGINT); ++waits)
    std::this_thread::sleep_for(10ms);
  std::this_thread::sleep_for(100ms);
  const auto asked = std::chrono::steady_clock::now();
  kill(process, SIGINT);
  expect_one_error(finish(process), kCancelled, {"cancelled"});
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 5s);
  EXPECT_EQ(files(), (std::vector<std::string>{"pipe"}));
}

TEST_F(Cancel, TheSecondSignalEndsTheProcessAtOnce) {
  // A pipe that nobody reads: the writer cannot look at the stop token.
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  const pid_t process =
      start({"generate", "sbm", "--nodes", "100", "--clusters", "2", "--output", path("pipe")});
  // A signal before the command takes it over ends the process by itself.
  for (int waits = 0; waits < 3000 && !takes_over(process, SIGINT); ++waits)
    std::this_thread::sleep_for(10ms);
  int status = 0;
  for (int signals = 0; signals < 50 && waitpid(process, &status, WNOHANG) == 0; ++signals) {
    std::this_thread::sleep_for(100ms);
    kill(process, SIGINT);
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 130) << status;
}

TEST_F(Cancel, WhatWasStartedToIgnoreASignalGoesOn) {
  const std::string graph = block_model("g.mtx", 20000, 20);
  const std::string output = path("l.txt");
  // As a script starts what it puts in the background.
  const std::string script = "trap '' INT; '" + places::command() + "' cluster " + graph +
                             " --clusters 20 --output " + output + " > " + path("stdout") + " & " +
                             "sleep 0.1; kill -INT $!; wait $!";
  const int status = std::system(script.c_str());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_TRUE(std::filesystem::exists(output));
}

}  // namespace
}  // namespace parsimony::cli
