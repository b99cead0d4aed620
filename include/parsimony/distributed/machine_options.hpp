// Options of a run over several processes, beside those of the method.
#pragma once

#include "parsimony/core/options.hpp"

namespace parsimony::distributed {

struct MachineOptions {
  /// The processes form so many groups. Each group holds the whole graph, shared out over its processes, and
  /// filters a part of the signals: fewer rows travel, and each process needs more memory. 0: the number for
  /// which a model of memory and network predicts the least time, if it saves a tenth at least; mostly 1 but
  /// for graphs without communities. It divides the number of processes.
  int column_groups = 0;
};

template <OptionsOf<MachineOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"column_groups",
              "under mpirun, groups of processes that each hold the graph and filter a part of the signals; "
              "more pay on many machines for graphs without communities",
              1, 1 << 20, "auto", 0},
        options.column_groups);
}

}  // namespace parsimony::distributed
