// The bandwidth of the memory, which work that reads more than it computes cannot exceed.
#pragma once

#include "parsimony/core/context.hpp"

namespace parsimony {

/// Bytes a second that are read and written by the fastest of three copies of 64 MiB with the threads of the
/// context. Takes 128 MiB of memory and about 0.1 s. 0 where the limit of the context leaves less memory.
double copy_bandwidth(const Context& context);

}  // namespace parsimony
