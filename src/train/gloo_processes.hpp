// Training processes on LibTorch's c10d with Gloo.
#pragma once

#include "parsimony/train/training_processes.hpp"

namespace parsimony::train {

/// meet() for several processes, where the library was built with Gloo.
std::unique_ptr<TrainingProcesses> meet_by_gloo(const Rendezvous& where, OthersFailed others_failed);

}  // namespace parsimony::train
