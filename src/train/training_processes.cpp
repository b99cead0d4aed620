#include "parsimony/train/training_processes.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <string>
#include <utility>

#include "parsimony/core/error.hpp"
#include "train/gloo_processes.hpp"

namespace parsimony::train {
namespace {

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

int number_in(const char* name, int least, int most) {
  const std::string text = variable(name);
  if (text.empty()) {
    refuse(fmt::format("{}: is not set although WORLD_SIZE is {}; torchrun sets both", name,
                       variable("WORLD_SIZE")));
  }
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    refuse(fmt::format("{}: is \"{}\"; must be a number from {} to {}", name, text, least, most));
  }
  return number;
}

}  // namespace

const TrainingProcesses& one_training_process() {
  static const TrainingProcesses one;
  return one;
}

Rendezvous rendezvous_of_environment() {
  Rendezvous out;
  if (variable("WORLD_SIZE").empty()) return out;
  out.count = number_in("WORLD_SIZE", 1, 1 << 20);
  if (out.count == 1) return out;
  out.rank = number_in("RANK", 0, out.count - 1);
  out.port = number_in("MASTER_PORT", 1, 65535);
  out.address = variable("MASTER_ADDR");
  if (out.address.empty()) {
    refuse("MASTER_ADDR: is not set although WORLD_SIZE is; must be the address of process 0");
  }
  out.has_store = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  out.attempt = variable("TORCHELASTIC_RESTART_COUNT");
  return out;
}

std::unique_ptr<TrainingProcesses> meet(const Rendezvous& where,
                                        [[maybe_unused]] OthersFailed others_failed) {
  if (where.count == 1) return std::make_unique<TrainingProcesses>();
#ifdef PARSIMONY_GLOO
  return meet_by_gloo(where, std::move(others_failed));
#else
  throw Error(ErrorCode::unsupported,
              fmt::format("WORLD_SIZE: is {}, but this build trains in one process only: Gloo was missing. "
                          "Install libgloo-dev (Debian and Ubuntu) and build again, or unset WORLD_SIZE",
                          where.count));
#endif
}

}  // namespace parsimony::train
