#include "core/files/output_gate.hpp"

#include <unistd.h>

#include <atomic>

namespace parsimony {
namespace {

enum class Gate { closed, open, passed, abandoned };

std::atomic<Gate> gate{Gate::closed};
std::atomic<int> saving{0}, unsaved{0};

}  // namespace

Appearing::Appearing() noexcept {
  Gate now = gate;
  do {
    while (now == Gate::abandoned) ::pause();  // the process is about to end
  } while (!gate.compare_exchange_weak(now, Gate::open));
  after_some_ = now == Gate::passed || saving == 0;
}

Appearing::~Appearing() {
  gate = after_some_ ? Gate::passed : Gate::closed;
}

SavingState::SavingState() noexcept {
  ++saving;
}

SavingState::~SavingState() {
  --saving;
}

UnsavedWork::UnsavedWork() noexcept {
  ++unsaved;
}

UnsavedWork::~UnsavedWork() {
  --unsaved;
}

bool abandon_outputs(bool at_any_cost) noexcept {
  if (!at_any_cost && unsaved > 0) return false;
  Gate now = Gate::closed;
  if (gate.compare_exchange_strong(now, Gate::abandoned) || now == Gate::abandoned) return true;
  now = Gate::passed;
  return at_any_cost && gate.compare_exchange_strong(now, Gate::abandoned);
}

}  // namespace parsimony
