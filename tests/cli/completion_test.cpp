// The scripts of completion parse in their shells, and propose verbs, flags and values.
#include "cli/command.hpp"

namespace parsimony::cli {
namespace {

bool has(const std::string& shell) {
  return std::system(("command -v " + shell + " > /dev/null 2>&1").c_str()) == 0;
}

class Completion : public Command {
 protected:
  // Output of a shell command.
  std::string said(const std::string& command) const {
    EXPECT_EQ(std::system((command + " > " + path("said") + " 2>&1").c_str()), 0) << read_text(path("said"));
    return read_text(path("said"));
  }
};

TEST_F(Completion, BashProposesVerbsFlagsAndValues) {
  const std::string script = write("completion.bash", run({"completion"}).out);
  EXPECT_EQ(run({"completion", "bash"}).out, read_text(script)) << "the default";
  // The proposals of bash for these words, the last of which is unfinished.
  const auto proposed = [&](const std::string& words) {
    return said("bash -c 'source " + script + "; COMP_WORDS=(" + words +
                "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _parsimony; echo ${COMPREPLY[*]}'");
  };
  EXPECT_EQ(proposed("parsimony clu"), "cluster\n");
  EXPECT_EQ(proposed("parsimony generate s"), "sbm\n");
  EXPECT_EQ(proposed("parsimony cluster graph.mtx --clu"), "--clusters\n");
  EXPECT_EQ(proposed("parsimony generate sbm --epsilon"), "--epsilon-ratio\n");
  EXPECT_EQ(proposed("parsimony generate sbm --weights logn"), "lognormal\n");
  EXPECT_EQ(proposed("parsimony generate sbm --weights = logn"), "lognormal\n");
  EXPECT_EQ(proposed("parsimony cluster gra"), "\n") << "left to the file names";
}

TEST_F(Completion, ZshReadsItsScript) {
  if (!has("zsh")) GTEST_SKIP() << "zsh is not installed";
  const std::string script = write("_parsimony", run({"completion", "zsh"}).out);
  EXPECT_EQ(said("zsh -n " + script), "");
  // Loaded as a user's zsh would load it.
  EXPECT_EQ(said("zsh -f -c 'autoload -U compinit && compinit -D -d " + path("dump") + " && source " +
                 script + " && echo $_comps[parsimony]'"),
            "_parsimony\n");
}

TEST_F(Completion, FishProposesVerbsFlagsAndValues) {
  if (!has("fish")) GTEST_SKIP() << "fish is not installed";
  const std::string script = write("parsimony.fish", run({"completion", "fish"}).out);
  const auto proposed = [&](const std::string& words) {
    const std::string lines =
        said("HOME=" + path("") + " fish -N -c 'source " + script + "; complete -C \"" + words + "\"'");
    std::set<std::string> out;
    std::istringstream in(lines);
    for (std::string line; std::getline(in, line);) out.insert(line.substr(0, line.find('\t')));
    return out;
  };
  EXPECT_EQ(said("HOME=" + path("") + " fish -N --no-execute " + script), "");
  EXPECT_EQ(proposed("parsimony clus").count("cluster"), 1u);
  EXPECT_EQ(proposed("parsimony generate s"), (std::set<std::string>{"sbm"}));
  EXPECT_EQ(proposed("parsimony generate sbm --epsilon"), (std::set<std::string>{"--epsilon-ratio"}));
  EXPECT_EQ(proposed("parsimony generate sbm --weights l"), (std::set<std::string>{"lognormal"}));
  EXPECT_EQ(proposed("parsimony cluster --epsilon").count("--epsilon-ratio"), 0u) << "a flag of another verb";
}

TEST_F(Completion, OtherShellsAreRefused) {
  expect_one_error(run({"completion", "zhs"}), 2, {"SHELL: 'zhs'", "did you mean zsh?"});
}

}  // namespace
}  // namespace parsimony::cli
