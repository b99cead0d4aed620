// The progress bar: on a terminal, and nowhere else.
#include <pty.h>

#include <algorithm>

#include "cli/command.hpp"

namespace parsimony::cli {
namespace {

class OnTerminal : public Command {
 protected:
  // The output of the command on a terminal of this type while it clusters into a file.
  std::string screen(const std::string& graph, const char* term,
                     const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"parsimony", "cluster",     graph,      "--clusters",  "20",
                                       "--output",  path("l.txt"), "--method", "compressive", "--order",
                                       "300",       "--restarts",  "300"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    int terminal = -1;
    const pid_t process = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (process == 0) {
      setenv("TERM", term, 1);
      execv(places::command().c_str(), argv.data());
      _exit(127);
    }
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = read(terminal, buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(got));
    close(terminal);
    int status = 0;
    waitpid(process, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3)) << text;
    return text;
  }
};

TEST_F(OnTerminal, ABarIsDrawnAndWipedAway) {
  const std::string graph = block_model("g.mtx", 20000, 20);
  const std::string text = screen(graph, "xterm");
  ASSERT_NE(text.find(" %"), std::string::npos) << text;
  ASSERT_NE(text.find("\r\x1b[K"), std::string::npos) << "the bar is gone in the end";
  EXPECT_EQ(text.find("\x1b[3"), std::string::npos) << "no colours";
  EXPECT_GT(text.find("modularity"), text.rfind("\r\x1b[K")) << "the summary follows a clean line";
}

TEST_F(OnTerminal, NoBarOnADumbOneOrInQuiet) {
  const std::string graph = block_model("g.mtx", 5000, 20);
  EXPECT_EQ(screen(graph, "dumb").find('\x1b'), std::string::npos);
  EXPECT_EQ(screen(graph, "xterm", {"--quiet"}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace parsimony::cli
