// The processes that mpirun or srun has started, by the environment: no MPI is needed to ask.
#pragma once

namespace parsimony::cli {

/// Their number by what Open MPI, MPICH and Slurm say; 1 without them.
int started_processes();

/// The number of this one among them, from 0.
int process_number();

}  // namespace parsimony::cli
