"""Clusters of cells in an AnnData, from the graph of neighbours that it holds."""

import anndata
from sklearn.datasets import make_blobs

import parsimony_ml as pm

counts, kinds = make_blobs(2000, n_features=30, centers=8, random_state=0)
cells = anndata.AnnData(counts)
cells.obsp["connectivities"] = pm.knn_graph(counts, 15)  # or scanpy.pp.neighbors(cells)
found = pm.cluster(cells, 8)
cells.obs["cluster"] = found.to_series(categorical=True)
print(cells.obs["cluster"].value_counts().to_dict())
print(f"adjusted Rand index {found.scores(kinds)['adjusted_rand']:.2f}")
