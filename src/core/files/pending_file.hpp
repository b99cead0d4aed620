// A file that is written under a name of its own, until it appears under that of its place.
#pragma once

#include <cstddef>
#include <filesystem>

#include "core/files/descriptor.hpp"
#include "core/files/output_place.hpp"

namespace parsimony {

/// All members throw io.
class PendingFile {
 public:
  /// Makes the temporary file. Removes what killed processes left in the folder.
  explicit PendingFile(OutputPlace place);
  PendingFile(PendingFile&& other) noexcept;
  PendingFile& operator=(PendingFile&&) = delete;
  ~PendingFile();

  int descriptor() const { return file_.get(); }
  const std::filesystem::path& temporary() const { return temporary_; }
  const OutputPlace& place() const { return place_; }

  /// Gives the file the permissions and the owner of the one that it replaces, and syncs it.
  void seal();
  void appear();
  /// appear(), but take_back() can undo it until forget().
  void appear_for_now();
  /// Whether all is as it was before appear_for_now().
  bool take_back() noexcept;
  void forget() noexcept;

 private:
  void keep_rights() const;

  OutputPlace place_;
  std::filesystem::path temporary_;  // empty once the name is free again
  std::size_t slot_;                 // in the list of remove_temporary_files()
  Descriptor file_{-1};              // holds the lock
  enum { kPending, kMade, kExchanged, kFinal } state_ = kPending;
};

/// Removes the temporary files of dead processes in the folder: those of this user whose lock is free.
void remove_leftovers(const OutputPlace& place) noexcept;

/// Makes renames in the folder last. Throws io.
void sync_folder(const std::filesystem::path& folder);

}  // namespace parsimony
