// Parts of nearly the same size, one after another and without a division for each.
#pragma once

#include <cstdint>

namespace parsimony::kernels {

/// Cuts `count` things into `parts` parts: part p has those from p · count / parts up to (p + 1) · count /
/// parts, rounded down.
class EvenParts {
 public:
  EvenParts(std::int64_t count, std::int64_t parts)
      : parts_(parts), each_(parts > 0 ? count / parts : 0), rest_(parts > 0 ? count % parts : 0) {}

  /// The number of things of the next part.
  std::int64_t next() {
    carried_ += rest_;
    if (carried_ < parts_) return each_;
    carried_ -= parts_;
    return each_ + 1;
  }

 private:
  std::int64_t parts_, each_, rest_, carried_ = 0;
};

}  // namespace parsimony::kernels
