#pragma once

#include <cstdint>
#include <stop_token>
#include <string_view>

#include "parsimony/core/context.hpp"

namespace parsimony {

// A context of one thread that wishes a run to stop so many training steps after its first one.
class StopAfter {
 public:
  explicit StopAfter(std::int64_t steps) : context(1) {
    context.stop = source_.get_token();
    context.on_progress = [this, steps](std::string_view stage, std::int64_t step, std::int64_t) {
      if (stage != "training") return;
      if (first_ < 0) first_ = step;
      if (step >= first_ + steps) source_.request_stop();
    };
  }
  StopAfter(const StopAfter&) = delete;
  StopAfter& operator=(const StopAfter&) = delete;

  Context context;

 private:
  std::stop_source source_;
  std::int64_t first_ = -1;
};

}  // namespace parsimony
