#include "parsimony_run.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "parsimony/core/error.hpp"
#include "parsimony/run/session.hpp"
#include "parsimony/run/text_network.hpp"

namespace run = parsimony::run;

struct parsimony_run {
  parsimony_run(const char* model, const run::LoadOptions& options, int threads)
      : context(threads), loaded(run::load_text_network(model, options, context)), session(loaded.network) {}

  std::vector<parsimony::data::EncodedText> encode(const char* const* texts, std::size_t count) const {
    const auto& config = loaded.network.config();
    std::vector<parsimony::data::EncodedText> out;
    for (std::size_t i = 0; i < count; ++i) {
      if (texts[i] == nullptr) parsimony::refuse("text " + std::to_string(i) + ": is NULL");
      out.push_back(loaded.tokenizer.encode(texts[i], config.longest_text()));
      if (config.token_types == 1) out.back().types.clear();
    }
    return out;
  }

  parsimony::Context context;
  run::TextNetwork loaded;
  run::Session session;
};

namespace {

void tell(const char* message, char* error, std::size_t size) {
  if (error == nullptr || size == 0) return;
  const std::size_t length = std::min(std::strlen(message), size - 1);
  std::memcpy(error, message, length);
  error[length] = 0;
}

// Whether body() ends without an exception, whose message goes to error.
template <class Body>
bool succeeds(const Body& body, char* error, std::size_t size) noexcept {
  try {
    body();
    return true;
  } catch (const std::exception& e) {
    tell(e.what(), error, size);
  } catch (...) {
    tell("an exception of an unknown kind", error, size);
  }
  return false;
}

void copy(const parsimony::Matrix<float>& from, float* to) {
  std::copy(from.values().begin(), from.values().end(), to);
}

}  // namespace

extern "C" {

parsimony_run* parsimony_run_open(const char* model, const char* folder, int threads, char* error,
                                  size_t error_size) {
  parsimony_run* made = nullptr;
  succeeds(
      [&] {
        if (model == nullptr) parsimony::refuse("model: is NULL; must be the path of a file or folder");
        if (threads < 0) parsimony::refuse("threads: is negative; must be 0 or more");
        run::LoadOptions options;
        if (folder != nullptr) options.folder = folder;
        made = new parsimony_run(model, options, threads);
      },
      error, error_size);
  return made;
}

size_t parsimony_run_width(const parsimony_run* run) {
  return static_cast<size_t>(run->loaded.network.config().width);
}

size_t parsimony_run_classes(const parsimony_run* run) {
  return static_cast<size_t>(run->loaded.network.classes());
}

int parsimony_run_embed(parsimony_run* run, const char* const* texts, size_t count, float* vectors,
                        char* error, size_t error_size) {
  return succeeds([&] { copy(run->session.embed(run->encode(texts, count), run->context), vectors); }, error,
                  error_size)
             ? 0
             : 1;
}

int parsimony_run_classify(parsimony_run* run, const char* const* texts, size_t count, float* scores,
                           char* error, size_t error_size) {
  return succeeds([&] { copy(run->session.classify(run->encode(texts, count), run->context), scores); },
                  error, error_size)
             ? 0
             : 1;
}

void parsimony_run_close(parsimony_run* run) {
  delete run;
}
}
