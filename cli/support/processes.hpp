// The processes that mpirun, srun or torchrun has started, by the environment: no MPI is needed to ask.
#pragma once

namespace parsimony::cli {

/// Their number by what Open MPI, MPICH and Slurm say; 1 without them.
int started_processes();

/// The number of this one among them or among those of torchrun (RANK and WORLD_SIZE), from 0.
int process_number();

}  // namespace parsimony::cli
