"""The number of clusters: the one that comes out the same from other random signals."""

from sklearn.datasets import make_blobs

import parsimony_ml as pm

points, _ = make_blobs(3000, n_features=8, centers=7, random_state=0)
choice = pm.choose_n_clusters(pm.knn_graph(points), max_clusters=20)
for k, stability in zip(choice.tried, choice.stability, strict=True):
    print(f"{k:3} {stability:.2f} {'<' if k == choice.n_clusters else ''}")
