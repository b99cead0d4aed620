// Implements training.hpp for parsimony: starts parsimony-torch, which is beside it.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "networks/quantize.hpp"
#include "parsimony/core/error.hpp"
#include "torch/training.hpp"

namespace parsimony::cli {
namespace {

// The verb and its flags as given, with the positional arguments last.
std::vector<std::string> arguments_of(const CLI::App& app) {
  std::vector<std::string> flags{app.get_name()}, positional;
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0) continue;
    if (option->get_positional()) {
      positional.insert(positional.end(), option->results().begin(), option->results().end());
      continue;
    }
    const std::string name = "--" + option->get_lnames().front();
    if (option->get_expected_max() == 0) {
      flags.push_back(name);
    } else {
      flags.push_back(name + "=" + option->results().back());
    }
  }
  flags.push_back("--");  // a file may be called -x
  flags.insert(flags.end(), positional.begin(), positional.end());
  return flags;
}

int go_on(const CLI::App& app) {
  std::error_code failed;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failed);
  const std::string program = self.parent_path() / "parsimony-torch";
  std::vector<std::string> words = arguments_of(app);
  std::vector<char*> arguments{const_cast<char*>(program.c_str())};
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(program.c_str(), arguments.data());
  const int error = errno;
  if (error == ENOENT) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: needs parsimony-torch beside this program; it is built if LibTorch is "
                            "installed (Debian and Ubuntu: libtorch-dev libjpeg-dev)",
                            app.get_name()));
  }
  throw Error(ErrorCode::io, fmt::format("{}: cannot be started: {}", program, std::strerror(error)));
}

}  // namespace

int run_train(const TrainSettings&, const CLI::App& app, Terminal&) {
  return go_on(app);
}

int run_evaluate(const EvaluateSettings&, const CLI::App& app, Terminal&) {
  return go_on(app);
}

int run_quantize_with_data(QuantizeSettings&, const CLI::App& app, Terminal&) {
  return go_on(app);
}

}  // namespace parsimony::cli
