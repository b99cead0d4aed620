#include "support/processes.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

namespace parsimony::cli {
namespace {

int number_in(const char* variable) {
  const char* text = std::getenv(variable);
  int number = 0;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), number);
  return number;
}

}  // namespace

int started_processes() {
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    if (const int number = number_in(variable); number > 0) return number;
  }
  // Inside a job of Slurm every program has the number of tasks; one that srun has started with MPI has this,
  // too.
  return std::getenv("PMIX_RANK") != nullptr ? std::max(1, number_in("SLURM_STEP_NUM_TASKS")) : 1;
}

int process_number() {
  if (started_processes() == 1) return 0;
  return std::max({0, number_in("OMPI_COMM_WORLD_RANK"), number_in("PMI_RANK"), number_in("PMIX_RANK")});
}

}  // namespace parsimony::cli
