// An input that is shortened or written to while it is read: one line, and no output.
#include <sys/stat.h>

#include <chrono>
#include <span>
#include <vector>

#include "cli/command.hpp"
#include "parsimony/core/safetensors.hpp"

namespace parsimony::cli::shortened_input_test {
namespace {

using namespace std::chrono_literals;

std::string tensor_file(const std::string& path, const std::string& name, std::vector<std::int64_t> shape,
                        const std::vector<float>& values) {
  const TensorView tensor{{name, DType::float32, std::move(shape)},
                          {reinterpret_cast<const std::uint8_t*>(values.data()), 4 * values.size()}};
  write_safetensors(path, std::span(&tensor, 1));
  return path;
}

// The command maps the calibration, and then waits for a model from a pipe.
class ShortenedInput : public Command {
 protected:
  static constexpr std::int64_t kInputs = 8192;

  template <class Change>
  Outcome run_with(const Change& change) {
    const std::string calibration = tensor_file(path("c.safetensors"), "a.input_second_moment", {kInputs},
                                                std::vector<float>(kInputs, 1));
    const std::string model = read_text(
        tensor_file(path("m.safetensors"), "a.weight", {2, kInputs}, std::vector<float>(2 * kInputs, 0.5f)));
    EXPECT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
    const pid_t process = start({"quantize", path("pipe"), "--calibration", calibration, "--budget", "9000",
                                 "-o", path("small.safetensors"), "--threads", "1"});
    std::ofstream pipe(path("pipe"), std::ios::binary);  // waits until the command reads it
    change(calibration);
    pipe << model << std::flush;
    pipe.close();
    return finish(process);
  }
};

TEST_F(ShortenedInput, EndsTheRunByOneLine) {
  const Outcome outcome = run_with([](const std::string& file) { std::filesystem::resize_file(file, 4096); });
  expect_one_error(outcome, kFailed, {"c.safetensors became shorter while it was read"});
  EXPECT_EQ(files(), (std::vector<std::string>{"c.safetensors", "m.safetensors", "pipe"}));
}

TEST_F(ShortenedInput, WithoutAChangeTheRunSucceeds) {
  const Outcome outcome = run_with([](const std::string&) {});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST_F(ShortenedInput, AFileThatIsWrittenToEndsTheRun) {
  const Outcome outcome = run_with([](const std::string& file) {
    const auto before = std::filesystem::last_write_time(file);
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(-8, std::ios::end) << '\1';
    std::filesystem::last_write_time(file, before + 1ms);  // the clock of files is coarse
  });
  expect_one_error(outcome, kFailed, {"c.safetensors changed while it was read"});
  EXPECT_EQ(files(), (std::vector<std::string>{"c.safetensors", "m.safetensors", "pipe"}));
}

}  // namespace
}  // namespace parsimony::cli::shortened_input_test
