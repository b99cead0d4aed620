// Decides between the outputs of a run and an end of its process: files appear, or the process ends, never
// both halfway.
#pragma once

#include <string>

namespace parsimony {

/// Lives while files get their names. Once the outputs are abandoned, its constructor does not return.
class Appearing {
 public:
  Appearing() noexcept;
  Appearing(const Appearing&) = delete;
  Appearing& operator=(const Appearing&) = delete;
  ~Appearing();

 private:
  bool after_some_;
};

/// Lives while a checkpoint is written, which is not an output of the run: abandon_outputs() does not count
/// it.
class SavingState {
 public:
  SavingState() noexcept;
  SavingState(const SavingState&) = delete;
  SavingState& operator=(const SavingState&) = delete;
  ~SavingState();
};

/// Lives while a run has work that no checkpoint holds yet, and that it saves when it is told to stop.
class UnsavedWork {
 public:
  /// saving: the work of a run that is told to stop, as "writing the checkpoint FILE"; empty: none to tell.
  explicit UnsavedWork(std::string saving = {});
  UnsavedWork(const UnsavedWork&) = delete;
  UnsavedWork& operator=(const UnsavedWork&) = delete;
  ~UnsavedWork();

 private:
  friend std::string saving_of_unsaved_work();
  std::string saving_;
};

/// The text of the unsaved work; empty if there is none, or none to tell.
std::string saving_of_unsaved_work();

/// Called by another thread, or a signal handler, before it ends the process. Returns false while files get
/// their names, and, unless `at_any_cost` is set, once a file has or while there is unsaved work. After true
/// no file appears any more.
bool abandon_outputs(bool at_any_cost) noexcept;

}  // namespace parsimony
