// Networks: a line, and bytes after it, which are written to files, as no network is read from memory.
//   the text of a config.json   the bytes of model.safetensors, a BERT or RoBERTa: runs on three tokens
//   language HEADS              the bytes of a language model: runs on five tokens
//   image                       changes of the header of an EfficientNet-Lite0 in 4 bits: two bytes of a
//                               place, low first, one of a length up to 32, and as many bytes; runs on
//                               32 × 32 pixels
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/quant/compress.hpp"
#include "parsimony/run/image_network.hpp"
#include "parsimony/run/language_model.hpp"
#include "parsimony/run/session.hpp"
#include "run/efficientnet_weights.hpp"

namespace parsimony::fuzz {
namespace {

// A folder in memory where there is one.
struct Folder {
  Folder() {
    const char* base = std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : "/tmp";
    static int count = 0;
    path = std::filesystem::path(base) /
           ("parsimony-fuzz-run-" + std::to_string(getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  void write(const char* name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary | std::ios::trunc) << bytes;
  }
  std::string read(const char* name) const {
    std::ifstream stream(path / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  std::filesystem::path path;
};

// The bytes of a Lite0 whose weights are all alike.
std::string small_image_network(const Folder& folder) {
  const auto shapes =
      run::efficientnet_tensors(data::efficientnet_shape(data::EfficientNetVariant::lite0), 3);
  std::vector<std::vector<std::uint8_t>> bytes;
  std::vector<TensorView> views;
  bytes.reserve(shapes.size());
  for (const run::NamedShape& shape : shapes) {
    const TensorInfo info{shape.name, DType::float32, shape.shape};
    bytes.push_back(tensor_bytes(std::vector<float>(info.values(), 0.5F), DType::float32));
    views.push_back({info, bytes.back()});
  }
  quant::compress(quant::ModelTensors(views), folder.path / "base.safetensors", {.scheme = "int4"},
                  Context(1));
  return folder.read("base.safetensors");
}

void run_image(const Folder& folder, const std::string& changes) {
  static const std::string base = small_image_network(folder);
  std::string file = base;
  const std::size_t header = SafetensorsFile(folder.path / "base.safetensors").header_bytes();
  for (std::size_t at = 0; at + 3 <= changes.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(changes[i]); };
    const std::size_t place = (byte(at) + 256U * byte(at + 1)) % header;
    const std::size_t length = std::min<std::size_t>(byte(at + 2) % 33, changes.size() - at - 3);
    file.replace(place, length, changes, at + 3, length);
    at += 3 + length;
  }
  folder.write("model.safetensors", file);
  value_or_error([&] {
    const Context context = limited_context();
    const run::ImageNetwork network = run::load_image_network(folder.path, {}, {}, context);
    const Matrix<float> image(1, std::int64_t{3} * 32 * 32);
    const Matrix<float> logits = network.classify(image, 32, 32, context);
    check(logits.cols() == network.classes(), "a logit for each class");
  });
}

void run_language(const Folder& folder, std::string_view heads, const std::string& model) {
  std::int64_t count = 0;
  std::from_chars(heads.data(), heads.data() + heads.size(), count);
  folder.write("model.safetensors", model);
  value_or_error([&] {
    const Context context = limited_context();
    run::LanguageSession session(
        run::load_language_model(folder.path, {.heads = count, .context = 8}, {}, context), context);
    const std::vector<std::int32_t> tokens{0, 1, 0, 1};
    session.add(tokens, context);
    check(std::ssize(session.step(0, context)) == session.model().vocabulary(), "a logit for each token");
  });
}

void run_text(const Folder& folder, const std::string& config, const std::string& model) {
  folder.write("config.json", config);
  folder.write("model.safetensors", model);
  value_or_error([&] {
    const Context context = limited_context();
    run::Session session(run::load(folder.path, {}, context));
    const data::EncodedText text{{0, 1, 0}, {}};
    const Matrix<float> states = session.hidden_states(std::span(&text, 1), context);
    check(states.rows() == 3 && states.cols() == session.network().config().width, "a row for each token");
    if (session.network().classes() == 0) return;
    const Matrix<float> scores = session.classify(std::span(&text, 1), context);
    check(scores.cols() == session.network().classes(), "a score for each class");
  });
}

}  // namespace
}  // namespace parsimony::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  static const fuzz::Folder texts, languages, images;
  const std::string input = fuzz::as_string(data, size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string first = input.substr(0, line), rest = line < input.size() ? input.substr(line + 1) : "";
  constexpr std::string_view kLanguage = "language ";
  if (first == "image") {
    fuzz::run_image(images, rest);
  } else if (first.starts_with(kLanguage)) {
    fuzz::run_language(languages, std::string_view(first).substr(kLanguage.size()), rest);
  } else {
    fuzz::run_text(texts, first, rest);
  }
  return 0;
}
