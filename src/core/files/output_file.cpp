// Implements AtomicFile and OutputSet of parsimony/core/output_file.hpp, and write_file() of
// parsimony/core/file.hpp.
#include "parsimony/core/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "core/files/compression.hpp"
#include "core/files/descriptor.hpp"
#include "core/files/output_gate.hpp"
#include "core/files/pending_file.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/file_error.hpp"

namespace parsimony {

void throw_io(const char* what, const std::filesystem::path& path) {
  const int number = errno;  // before anything else may change it
  const std::string name = path == "/dev/stdout" ? "the standard output" : path.string();
  const char* limit = number == EFBIG ? " (the limit of its file system, or of this process: ulimit -f)" : "";
  throw FileError(number, fmt::format("cannot {} {}: {}{}", what, name, std::strerror(number), limit));
}

struct AtomicFile::State {
  std::filesystem::path path;
  OutputSet* set = nullptr;
  std::optional<PendingFile> pending;  // none: written in place
  Descriptor in_place{-1};
  std::unique_ptr<Compressor> compressor;
  bool finished = false;

  void open() {
    OutputPlace place = output_place(path);
    if (place.replaceable()) {
      pending.emplace(std::move(place));
      return;
    }
    in_place =
        Descriptor(place.descriptor >= 0 ? ::fcntl(place.descriptor, F_DUPFD_CLOEXEC, 3)
                                         : ::open(place.file.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
    if (in_place.get() < 0) throw_io("write", path);
  }

  void write_raw(std::string_view bytes) {
    const int file = pending ? pending->descriptor() : in_place.get();
    while (!bytes.empty()) {
      const ssize_t count = ::write(file, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw_io("write", path);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
};

AtomicFile::AtomicFile(const OutputPath& path) : state_(std::make_unique<State>()) {
  state_->path = path.path();
  state_->set = path.set();
  state_->open();
  state_->compressor =
      make_compressor(compression_of_ending(path.path()),
                      [state = state_.get()](std::string_view bytes) { state->write_raw(bytes); });
}

AtomicFile::~AtomicFile() = default;

void AtomicFile::write(std::string_view bytes) {
  state_->compressor->write(bytes);
}

std::filesystem::path AtomicFile::finish() {
  if (!std::exchange(state_->finished, true)) state_->compressor->finish();
  return state_->pending ? state_->pending->temporary() : std::filesystem::path();
}

struct OutputSet::State {
  std::vector<PendingFile> files;
};

void AtomicFile::commit() {
  State& state = *state_;
  finish();
  if (!state.pending) {
    if (state.in_place.close() != 0) throw_io("write", state.path);
    return;
  }
  state.pending->seal();
  if (state.set != nullptr) {
    state.set->state_->files.push_back(std::move(*state.pending));
    return;
  }
  const Appearing now;
  state.pending->appear();
  sync_folder(state.pending->place().folder);
}

OutputSet::OutputSet() : state_(std::make_shared<State>()) {}

OutputSet::OutputSet(const OutputPath& path)
    : state_(path.set() != nullptr ? path.set()->state_ : std::make_shared<State>()),
      is_part_(path.set() != nullptr) {}

OutputSet::~OutputSet() = default;

OutputPath OutputSet::file(const std::filesystem::path& path) {
  OutputPath own(path);
  own.set_ = this;
  return own;
}

void OutputSet::commit() {
  if (is_part_) return;
  std::vector<PendingFile>& files = state_->files;
  const Appearing now;
  std::size_t done = 0;
  try {
    for (; done < files.size(); ++done) {
      done + 1 < files.size() ? files[done].appear_for_now() : files[done].appear();
    }
  } catch (const Error& error) {
    std::string stay;
    while (done-- > 0) {
      if (!files[done].take_back()) stay += fmt::format(" {}", files[done].place().asked.string());
    }
    files.clear();
    if (stay.empty()) throw;
    const std::string message = fmt::format("{}; these files are already of this run:{}", error.what(), stay);
    if (const auto* fault = dynamic_cast<const FileError*>(&error)) throw FileError(fault->number(), message);
    throw Error(error.code(), message);
  }
  std::filesystem::path synced;
  for (PendingFile& file : files) {
    file.forget();
    if (file.place().folder != synced) sync_folder(file.place().folder);
    synced = file.place().folder;
  }
  files.clear();
}

void write_file(const OutputPath& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace parsimony
