// Connected components of a graph that is shared out over processes.
#pragma once

#include "distributed/rows.hpp"
#include "parsimony/cluster/components.hpp"

namespace parsimony::distributed {

/// The components, numbered by their first node as graph::connected_components() does; `label` has the nodes
/// of this process, all else is that of the whole graph. Labels travel over the ghosts until none changes:
/// the rounds are at most the times that a shortest path crosses from one process to another. Collective.
cluster::ComponentSizes component_sizes(const GraphRows& rows);

}  // namespace parsimony::distributed
