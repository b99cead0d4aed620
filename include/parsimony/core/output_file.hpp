// Files that are written: each one appears whole or not at all, and those of a set together.
#pragma once

#include <concepts>
#include <filesystem>
#include <memory>
#include <string_view>

namespace parsimony {

class OutputSet;

/// The path of a file to write, and the set of files that it appears with, if any (OutputSet::file). Paths
/// and strings convert to it, so that a writer that takes one is called with either.
class OutputPath {
 public:
  template <std::convertible_to<std::filesystem::path> Path>
  OutputPath(const Path& path) : path_(path) {}  // NOLINT(google-explicit-constructor)

  const std::filesystem::path& path() const { return path_; }
  OutputSet* set() const { return set_; }

 private:
  friend class OutputSet;
  std::filesystem::path path_;
  OutputSet* set_ = nullptr;
};

/// Writes a file that appears under its name only once it is complete: the bytes go to a temporary file in
/// the same folder, and commit() syncs and renames it, and syncs the folder. Without commit() the temporary
/// file is removed and an older file of that name is untouched. Names that end in .gz or .zst are compressed.
///
/// A link is followed, also to a file that does not exist yet. A file that is replaced keeps its permissions
/// (mode & 0777, whatever the umask), and its owner and group where the process may set them. If it may not
/// set the group, the group gets no more rights than all others have. Set-id bits, access lists, extended
/// attributes and other hard links are not kept.
///
/// /dev/stdout, /dev/fd/N, and an existing path that is not a regular file (a pipe, a terminal) are written
/// in place. No other file below /dev, /proc and /sys is made or replaced, but those of /dev/shm are.
///
/// The temporary file is called .parsimony-HEX.partial and is locked. One that a killed process of the same
/// user left is removed when the next file of the folder is written or checked. All members throw io.
class AtomicFile {
 public:
  explicit AtomicFile(const OutputPath& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::string_view bytes);
  /// Ends the writing, so that a reader finds all bytes, and returns the path of the temporary file; empty if
  /// the file is written in place. Only commit() may follow.
  std::filesystem::path finish();
  /// Lets the file appear, or hands it to its set.
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Files of one run, which appear together: a writer that gets file(path) leaves its file, written and
/// synced, under a temporary name, and commit() renames all. A file that is written in place does not wait.
/// Without commit() none appears. Not for several threads at once.
class OutputSet {
 public:
  OutputSet();
  /// For a writer of several files: part of the set of the path, whose commit() lets them appear, or a set of
  /// its own if the path has none.
  explicit OutputSet(const OutputPath& path);
  OutputSet(const OutputSet&) = delete;
  OutputSet& operator=(const OutputSet&) = delete;
  ~OutputSet();

  OutputPath file(const std::filesystem::path& path);
  /// Renames the files in the order in which they were written. If one cannot be renamed, those before it are
  /// put back as they were, and where that fails, the message names the new ones. Throws io.
  void commit();

 private:
  friend class AtomicFile;
  struct State;
  std::shared_ptr<State> state_;
  bool is_part_ = false;
};

/// Throws io for faults of an AtomicFile of that path that are known before any work: a name that is too
/// long, a loop of links, a folder that is missing, full or closed to this user, a file that may not be
/// replaced, a closed standard output. Removes what killed processes left in the folder.
void check_output_path(const std::filesystem::path& path);

/// Removes all temporary files of this process. For a process that is about to end without its destructors; a
/// signal handler may call it.
void remove_temporary_files() noexcept;

}  // namespace parsimony
