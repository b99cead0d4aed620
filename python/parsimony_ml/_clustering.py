"""The result of clustering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._arrays import copied_or_same
from ._counts import count_of
from ._errors import InvalidArgumentError
from ._report import Report

if TYPE_CHECKING:
    import pandas as pd

Scores = dict[str, Any]


class Choice:
    """A chosen number of clusters.

    Attributes:
        n_clusters: the number.
        lambda_k: its cut-off; given as option ``lambda_k`` to a method, it is not searched again.
        tried: the numbers that were tried, ascending.
        stability: for each of them, how far two runs agree: 0 as chance does, 1 for the same clusters.
        standard_error: the standard error of the stability, rather too small than too large.
        gap: the width of the gap of eigenvalues at each number.
        lambdas: the cut-off of each number.
        density: as of :class:`Clustering`.
        report: the record of the run; None if the choice was a part of one.
    """

    def __init__(self, found: dict[str, Any]) -> None:
        self.n_clusters: int = found["n_clusters"]
        self.lambda_k: float = found["lambda_k"]
        self.tried: NDArray[np.int64] = found["tried"]
        self.stability: NDArray[np.float64] = found["stability"]
        self.standard_error: NDArray[np.float64] = found["standard_error"]
        self.gap: NDArray[np.float64] = found["gap"]
        self.lambdas: NDArray[np.float64] = found["lambdas"]
        self.density: dict[str, NDArray[np.float64]] | None = found["density"]
        self.report = Report.parse(found["report"])

    def __int__(self) -> int:
        return self.n_clusters

    __index__ = __int__

    def plot(self, ax: Any = None) -> Any:
        """Draws the stability of every number tried. Needs matplotlib; returns the axes."""
        from ._plots import plot_stability

        return plot_stability(self, ax)

    def __repr__(self) -> str:
        best = self.stability[self.tried == self.n_clusters]
        stability = f", stability {best[0]:.3f}" if best.size else ""
        return f"Choice(n_clusters={self.n_clusters}{stability}, {len(self.tried)} tried)"


class Clustering:
    """The clusters of the nodes of a graph, or of points.

    Attributes:
        labels: the cluster of every node, 0 … n_clusters - 1 (int32).
        n_clusters: their number; no cluster is empty.
        lambda_k: the k-th smallest eigenvalue of the Laplacian, or the estimated cut-off of the filter; 0 if the
            method needed none.
        nodes: the names of the nodes in the order of the labels: those of networkx, igraph, AnnData, edges or a file,
            else 0, 1, …
        report: the record of the run.
        graph: the graph that was clustered; for points that of their nearest neighbours.
        choice: how ``n_clusters="auto"`` was decided (see :func:`choose_n_clusters`), else None.
        density: the density of the eigenvalues, if the method computed it: a dict of ``lambdas`` and ``counts``, the
            number of eigenvalues up to each.
    """

    def __init__(self, found: dict[str, Any], graph: _core.Graph, nodes: Any) -> None:
        self.labels: NDArray[np.int32] = found["labels"]
        self.n_clusters: int = found["n_clusters"]
        self.lambda_k: float = found["lambda_k"]
        self.density: dict[str, NDArray[np.float64]] | None = found["density"]
        self.report = Report.parse(found["report"])
        self.choice = None if found["choice"] is None else Choice(found["choice"])
        self.graph = graph
        self._scores: Scores = found["scores"]
        self._nodes = nodes

    @property
    def nodes(self) -> Any:
        return range(len(self.labels)) if self._nodes is None else self._nodes

    def as_dict(self) -> dict[Any, int]:
        """The cluster of each node by its name. Raises InvalidArgumentError if nodes share a name."""
        out = dict(zip(self.nodes, self.labels.tolist(), strict=True))
        if len(out) < len(self):
            raise InvalidArgumentError(
                f"nodes: {len(self)} nodes have {len(out)} different names; labels and to_series() keep them apart"
            )
        return out

    def communities(self) -> list[set[Any]]:
        """The nodes of each cluster, as the functions of networkx return communities."""
        out: list[set[Any]] = [set() for _ in range(self.n_clusters)]
        for node, label in self.as_dict().items():
            out[label].add(node)
        return out

    def to_series(self, name: str = "cluster", *, categorical: bool = False) -> pd.Series[Any]:
        """A pandas.Series of the clusters, with the nodes as its index."""
        import pandas as pd

        values = pd.Categorical(self.labels.astype(str)) if categorical else self.labels
        return pd.Series(values, index=pd.Index(self.nodes, tupleize_cols=False), name=name)

    def scores(self, truth: Any = None) -> Scores:
        """Modularity, normalized cut, mean conductance, and conductance, volume, cut and size of every cluster.

        Self loops do not count. With ``truth``, a label for each node: also the scores of :func:`agreement`.
        """
        out = dict(self._scores)
        if truth is not None:
            from ._cluster import agreement

            out |= agreement(self.labels, truth)
        return out

    @property
    def adjacency(self) -> Any:
        """The graph as a scipy.sparse.csr_array, which shares the weights and columns."""
        from ._graphs import to_csr_array

        return to_csr_array(self.graph)

    def plot(self, figure: Any = None, *, points: Any = None) -> Any:
        """Draws the density of edges between clusters, their sizes and conductances and, if they are known, the stability
        of each number of clusters and the density of the eigenvalues with λ_k. ``points``, a row for each label, are
        drawn as a map, in the plane of their largest deviations. Needs matplotlib; returns the figure."""
        from ._plots import plot_clustering

        return plot_clustering(self, figure, points)

    def __len__(self) -> int:
        return len(self.labels)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return copied_or_same(self.labels, dtype, copy)

    def __repr__(self) -> str:
        return (
            f"Clustering({count_of(self.n_clusters, 'cluster')} of {count_of(len(self), 'node')}, "
            f"modularity {self._scores['modularity']:.4f}, {self.report.seconds:.3f} s)"
        )

    def _repr_html_(self) -> str:
        sizes, conductance = self._scores["sizes"], self._scores["conductance"]
        rows = "".join(
            f"<tr><td>{c}</td><td>{sizes[c]}</td><td>{conductance[c]:.3f}</td></tr>"
            for c in np.argsort(-sizes, kind="stable")[:10]
        )
        more = f"<p>… and {self.n_clusters - 10} more</p>" if self.n_clusters > 10 else ""
        return (
            f"<p><b>{count_of(self.n_clusters, 'cluster')}</b> of {count_of(len(self), 'node')}, modularity "
            f"{self._scores['modularity']:.4f}, mean conductance {self._scores['mean_conductance']:.4f}</p>"
            f"<table><tr><th>cluster</th><th>size</th><th>conductance</th></tr>{rows}</table>{more}"
            f"{self.report._repr_html_()}"
        )
