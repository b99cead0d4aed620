#include "quant/codes/importance.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "quant/codes/check_weight.hpp"

namespace parsimony::quant {

Importance::Importance(const WeightView& weight) : weight_(weight) {
  if (!given()) return;
  const std::int64_t size = checked_size(weight.shape), n = size / weight.shape[0];
  const std::int64_t count = std::ssize(weight.importance);
  if (count == size) {
    output_stride_ = n;
  } else if (count == weight.shape[1]) {
    repeated_ = n / weight.shape[1];
  } else if (count != n) {
    refuse(fmt::format(
        "importance: {}; must be {} (one per input channel), {} (per value of an output) or {} (per value)",
        count_of(count, "value"), weight.shape[1], n, size));
  }
  for (std::int64_t i = 0; i < count; ++i) {
    if (!(weight.importance[i] >= 0) || std::isinf(weight.importance[i])) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("importance: value {} is {}; must be finite and at least 0", i, weight.importance[i]));
    }
  }
}

}  // namespace parsimony::quant
