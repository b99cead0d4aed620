#include "parsimony/distributed/machines.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "distributed/communicator.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/error.hpp"
#ifdef PARSIMONY_PETSC
#include <petscsys.h>
#endif

namespace parsimony::distributed {

namespace {

constexpr double kPatience = 1;  // seconds to wait for others to fail too

}  // namespace

struct Machines::State {
  MPI_Comm faults = MPI_COMM_NULL;  // apart from what others may be in the middle of
  std::unique_ptr<Communicator> communicator;
};

Machines::Machines() : state_(std::make_unique<State>()) {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
#ifdef PARSIMONY_PETSC
  // Signals and faults stay with the program.
  PetscOptionsSetValue(nullptr, "-no_signal_handler", nullptr);
  if (PetscInitializeNoArguments() != 0) throw Error(ErrorCode::internal, "PETSc cannot be started");
#endif
  MPI_Comm_dup(MPI_COMM_WORLD, &state_->faults);
  state_->communicator = std::make_unique<Communicator>(MPI_COMM_WORLD);
}

Machines::~Machines() {
  MPI_Comm_free(&state_->faults);
#ifdef PARSIMONY_PETSC
  PetscFinalize();
#endif
  MPI_Finalize();
}

const Processes& Machines::processes() const {
  return *state_->communicator;
}

int Machines::default_threads() const {
  const int cores = default_thread_count();
  MPI_Comm machine = MPI_COMM_NULL;
  int beside = 1;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  MPI_Comm_size(machine, &beside);
  MPI_Comm_free(&machine);
  const bool bound = cores < sysconf(_SC_NPROCESSORS_ONLN);
  return bound ? cores : std::max(1, cores / beside);
}

bool Machines::all_fail() const {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Ibarrier(state_->faults, &request);
  // The first to lose patience ends the others.
  const double until = MPI_Wtime() + kPatience + 0.2 * state_->communicator->rank();
  int done = 0;
  for (;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done || MPI_Wtime() > until) return done;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void Machines::end_all(int exit_code) const {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

}  // namespace parsimony::distributed
