"""digits.py GRAPH.mtx LABELS.txt: the symmetrised graph of the 10 nearest neighbours of scikit-learn's 1797 handwritten digits."""

import pathlib
import sys

import scipy.io
from sklearn.datasets import load_digits
from sklearn.neighbors import kneighbors_graph

points, labels = load_digits(return_X_y=True)
neighbors = kneighbors_graph(points, 10)
scipy.io.mmwrite(sys.argv[1], neighbors.maximum(neighbors.T), symmetry="symmetric")
pathlib.Path(sys.argv[2]).write_text("".join(f"{i + 1}\t{label}\n" for i, label in enumerate(labels)))
