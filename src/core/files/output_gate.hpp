// Decides between the outputs of a run and an end of its process: files appear, or the process ends, never
// both halfway.
#pragma once

namespace parsimony {

/// Lives while files get their names. Once the outputs are abandoned, its constructor does not return.
class Appearing {
 public:
  Appearing() noexcept;
  Appearing(const Appearing&) = delete;
  Appearing& operator=(const Appearing&) = delete;
  ~Appearing();
};

/// Called by another thread, or a signal handler, before it ends the process. Returns false while files get
/// their names, and, unless `even_after_some` is set, once a file has. After true no file appears any more.
bool abandon_outputs(bool even_after_some) noexcept;

}  // namespace parsimony
