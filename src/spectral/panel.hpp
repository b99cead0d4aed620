// Cutting many signals into panels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/spectral/operator.hpp"

namespace parsimony::spectral {

inline constexpr std::int64_t kPanelWidth = 16;  ///< floats of one cache line
/// Two lines: random rows of 2 lines come from memory almost twice as fast as those of 4, see
/// kernels/chebyshev_step.cpp.
inline constexpr std::int64_t kMaxPanelWidth = 32;
inline constexpr std::int64_t kRowsPerFill = 1 << 14;

inline std::int64_t panels_of(std::int64_t count) {
  return (count + kMaxPanelWidth - 1) / kMaxPanelWidth;
}

/// body(first column, columns used, width of the panel that holds them) for the columns of the range, which
/// begins at a multiple of kPanelWidth. A panel ends at a multiple of kMaxPanelWidth.
template <class Body>
void for_each_panel(SignalRange range, Body&& body) {
  const std::int64_t end = range.first + range.count;
  for (std::int64_t first = range.first; first < end;) {
    const std::int64_t used = std::min(kMaxPanelWidth - first % kMaxPanelWidth, end - first);
    body(first, used, (used + kPanelWidth - 1) / kPanelWidth * kPanelWidth);
    first += used;
  }
}

/// The same for columns 0..count−1.
template <class Body>
void for_each_panel(std::int64_t count, Body&& body) {
  for_each_panel(SignalRange{0, count}, body);
}

/// The rows of N × width signals that this process holds: Gaussian of standard deviation `scale` in the first
/// `used` columns, and zero in the rest. Column 0 is the signal number `first` of the stream, a multiple of
/// kPanelWidth, and the others are those behind it up to the next multiple of kMaxPanelWidth.
Matrix<float> gaussian_panel(const Operator& op, std::int64_t first, std::int64_t used, std::int64_t width,
                             double scale, const RandomStream& random, const Context& context);

/// Throws unsupported, with `what` in front, if the rows are shared out over several processes.
void refuse_several_processes(const Operator& op, std::string_view what);

}  // namespace parsimony::spectral
