"""Four communities of a graph of igraph, scored by igraph."""

import igraph as ig

import parsimony_ml as pm

club = ig.Graph.Famous("Zachary")
found = pm.cluster(club, 4)
print(found.labels)
print(f"modularity {club.modularity(found.labels):.4f}")
