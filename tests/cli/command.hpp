// Runs the built command and collects its output.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "places.hpp"

namespace parsimony::cli {

// The exit codes that users rely on.
inline constexpr int kFailed = 1, kUsage = 2, kNotConverged = 3, kCancelled = 130;

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Outcome {
  int code = -1;  ///< as a shell reports it: 128 + signal for a process that a signal ended
  std::string out;
  std::string err;
};

/// Gives each test an empty directory of its own, which is removed afterwards.
class Command : public ::testing::Test {
 protected:
  Command() {
    std::string pattern = (std::filesystem::temp_directory_path() / "parsimony-cli-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    directory_ = pattern;
  }
  ~Command() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(directory_ / name, std::ios::binary) << content;
    return path(name);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      const std::string name = entry.path().filename().string();
      if (name != "stdout" && name != "stderr") names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  pid_t start(const std::vector<std::string>& arguments, const std::string& input = "/dev/null") const {
    std::vector<char*> argv{const_cast<char*>(places::command().c_str())};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const int create = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 0, input.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, path("stdout").c_str(), create, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, path("stderr").c_str(), create, 0600);
    posix_spawnattr_t attributes;  // signals as in a terminal, even where the tests run in the background
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    pid_t process = -1;
    const int error =
        posix_spawn(&process, places::command().c_str(), &actions, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error("posix_spawn failed: " + places::command());
    return process;
  }
  Outcome finish(pid_t process) const {
    int status = 0;
    waitpid(process, &status, 0);
    return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), read_text(path("stdout")),
            read_text(path("stderr"))};
  }
  Outcome run(const std::vector<std::string>& arguments, const std::string& input = "/dev/null") const {
    return finish(start(arguments, input));
  }

  /// Writes a block model of n nodes with clusters that are easy to find, and its planted labels to
  /// truth.txt.
  std::string block_model(const std::string& name, int nodes, int clusters, int degree = 16) const {
    const Outcome made =
        run({"generate", "sbm", "--nodes", std::to_string(nodes), "--clusters", std::to_string(clusters),
             "--degree", std::to_string(degree), "--epsilon-ratio", "0.1", "--seed", "5", "--output",
             path(name), "--labels", path("truth.txt"), "--quiet"});
    EXPECT_EQ(made.code, 0) << made.err;
    EXPECT_EQ(made.out + made.err, "");
    return path(name);
  }

 private:
  std::filesystem::path directory_;
};

/// Expects exactly one line, an error of the command that contains all these parts.
inline void expect_one_error(const Outcome& outcome, int code, const std::vector<std::string>& parts) {
  EXPECT_EQ(outcome.code, code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.rfind("parsimony: error: ", 0), 0u) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_EQ(outcome.err.find('\x1b'), std::string::npos);
  for (const std::string& part : parts)
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " in " << outcome.err;
}

}  // namespace parsimony::cli
