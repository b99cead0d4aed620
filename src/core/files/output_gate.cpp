#include "core/files/output_gate.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

namespace parsimony {
namespace {

enum class Gate { closed, open, passed, abandoned };

std::atomic<Gate> gate{Gate::closed};
std::atomic<int> saving_states{0}, unsaved{0};

std::mutex told_mutex;
std::vector<const UnsavedWork*> told;

}  // namespace

Appearing::Appearing() noexcept {
  Gate now = gate;
  do {
    while (now == Gate::abandoned) ::pause();  // the process is about to end
  } while (!gate.compare_exchange_weak(now, Gate::open));
  after_some_ = now == Gate::passed || saving_states == 0;
}

Appearing::~Appearing() {
  gate = after_some_ ? Gate::passed : Gate::closed;
}

SavingState::SavingState() noexcept {
  ++saving_states;
}

SavingState::~SavingState() {
  --saving_states;
}

UnsavedWork::UnsavedWork(std::string saving) : saving_(std::move(saving)) {
  if (!saving_.empty()) {
    const std::lock_guard lock(told_mutex);
    told.push_back(this);
  }
  ++unsaved;
}

UnsavedWork::~UnsavedWork() {
  --unsaved;
  if (saving_.empty()) return;
  const std::lock_guard lock(told_mutex);
  told.erase(std::remove(told.begin(), told.end(), this), told.end());
}

std::string saving_of_unsaved_work() {
  const std::lock_guard lock(told_mutex);
  return told.empty() ? std::string() : told.back()->saving_;
}

bool abandon_outputs(bool at_any_cost) noexcept {
  if (!at_any_cost && unsaved > 0) return false;
  Gate now = Gate::closed;
  if (gate.compare_exchange_strong(now, Gate::abandoned) || now == Gate::abandoned) return true;
  now = Gate::passed;
  return at_any_cost && gate.compare_exchange_strong(now, Gate::abandoned);
}

}  // namespace parsimony
