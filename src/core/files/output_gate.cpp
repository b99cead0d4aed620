#include "core/files/output_gate.hpp"

#include <unistd.h>

#include <atomic>

namespace parsimony {
namespace {

enum class Gate { closed, open, passed, abandoned };

std::atomic<Gate> gate{Gate::closed};

}  // namespace

Appearing::Appearing() noexcept {
  Gate now = gate;
  do {
    while (now == Gate::abandoned) ::pause();  // the process is about to end
  } while (!gate.compare_exchange_weak(now, Gate::open));
}

Appearing::~Appearing() {
  gate = Gate::passed;
}

bool abandon_outputs(bool even_after_some) noexcept {
  Gate now = Gate::closed;
  if (gate.compare_exchange_strong(now, Gate::abandoned) || now == Gate::abandoned) return true;
  now = Gate::passed;
  return even_after_some && gate.compare_exchange_strong(now, Gate::abandoned);
}

}  // namespace parsimony
