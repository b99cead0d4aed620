// The state of the process before any work: descriptors and signals.
#pragma once

namespace parsimony::cli {

/// Opens /dev/null for each of the descriptors 0 to 2 that is closed, so that no file gets its number, and no
/// output of the command is printed into that file. The descriptor is opened for the wrong direction, so that
/// reading the standard input and writing the standard output fail as they would if it were closed.
///
/// A write beyond the limit of file sizes (SIGXFSZ) fails instead of ending the process, and a closed pipe
/// (SIGPIPE) ends it without temporary files.
void prepare_process();

/// Whether the standard input was closed when the process started.
bool is_input_closed();

}  // namespace parsimony::cli
