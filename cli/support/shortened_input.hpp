// The end of a run whose input is shortened.
#pragma once

namespace parsimony::cli {

/// From here on, reading what a mapped input has lost ends the process with one line and exit status 1: it
/// removes the temporary files first. Another SIGBUS ends the process as ever.
void end_when_input_is_shortened();

}  // namespace parsimony::cli
