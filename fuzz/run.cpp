// A network of text: a line with config.json, and the bytes of model.safetensors after it. Written to files,
// as run::load reads no other, and run on a text of three tokens.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "check.hpp"
#include "parsimony/run/session.hpp"

namespace parsimony::fuzz {
namespace {

// A folder in memory where there is one.
struct Folder {
  Folder() {
    const char* base = std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : "/tmp";
    path = std::filesystem::path(base) / ("parsimony-fuzz-run-" + std::to_string(getpid()));
    std::filesystem::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  void write(const char* name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary | std::ios::trunc) << bytes;
  }
  std::filesystem::path path;
};

}  // namespace
}  // namespace parsimony::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  static const fuzz::Folder folder;
  const std::string input = fuzz::as_string(data, size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  folder.write("config.json", input.substr(0, line));
  folder.write("model.safetensors", line < input.size() ? input.substr(line + 1) : "");
  fuzz::value_or_error([&] {
    const Context context = fuzz::limited_context();
    run::Session session(run::load(folder.path, {}, context));
    const data::EncodedText text{{0, 1, 0}, {}};
    const Matrix<float> states = session.hidden_states(std::span(&text, 1), context);
    fuzz::check(states.rows() == 3 && states.cols() == session.network().config().width,
                "a row for each token");
    if (session.network().classes() == 0) return;
    const Matrix<float> scores = session.classify(std::span(&text, 1), context);
    fuzz::check(scores.cols() == session.network().classes(), "a score for each class");
  });
  return 0;
}
