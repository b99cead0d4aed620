"""Two communities of a graph of networkx."""

import networkx as nx

import parsimony_ml as pm

club = nx.karate_club_graph()
found = pm.cluster(club, 2)
print(found.communities())
print(f"modularity {found.scores()['modularity']:.3f}")
