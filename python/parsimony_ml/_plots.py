"""Pictures of results, by matplotlib."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _core
from ._arrays import to_points
from ._call import make_call
from ._counts import comparison_of_bytes, count_of
from ._errors import InvalidArgumentError, UnsupportedError

# Cells of the picture of a matrix, a side: more would be smaller than pixels.
_CELLS = 400
# Points of a map: more would hide each other.
_POINTS = 20_000


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise UnsupportedError("plot: needs matplotlib: pip install matplotlib") from None
    return plt


def _figure(figure: Any, size: tuple[float, float]) -> Any:
    if figure is None:
        return _pyplot().figure(figsize=size, layout="constrained")
    if not hasattr(figure, "add_gridspec"):
        raise InvalidArgumentError(f"figure: must be a figure of matplotlib, not {type(figure).__name__}")
    return figure


def _axes(ax: Any) -> Any:
    return _pyplot().subplots()[1] if ax is None else ax


def plot_stability(choice: Any, ax: Any = None) -> Any:
    """The stability of each number of clusters, with its standard error."""
    ax = _axes(ax)
    ax.errorbar(choice.tried, choice.stability, choice.standard_error, marker="o", capsize=2)
    ax.axvline(choice.n_clusters, linestyle="--", color="grey")
    ax.set(xlabel="number of clusters", ylabel="stability", title=count_of(choice.n_clusters, "cluster"))
    return ax


def plot_density(density: dict[str, Any], lambda_k: float, ax: Any = None) -> Any:
    """The number of eigenvalues up to each λ, with λ_k."""
    ax = _axes(ax)
    ax.plot(density["lambdas"], np.maximum(density["counts"], 0.5))
    if lambda_k > 0:
        ax.axvline(lambda_k, linestyle="--", color="grey")
    ax.set(xlabel="λ", ylabel="eigenvalues up to λ", yscale="log", title=f"λ_k = {lambda_k:.3g}")
    return ax


def _plot_matrix(clustering: Any, order: Any, ax: Any) -> None:
    """The density of edges over the adjacency matrix, rows and columns sorted by cluster. O(E) time, and no array as large
    as the matrix."""
    offsets, columns, _ = clustering.graph.csr()
    nodes = len(clustering)
    rank = np.empty(clustering.n_clusters, dtype=np.int64)
    rank[order] = np.arange(clustering.n_clusters)
    place = np.empty(nodes, dtype=np.int64)
    place[np.argsort(rank[clustering.labels], kind="stable")] = np.arange(nodes)
    cells = min(_CELLS, nodes)
    cell = place * cells // max(nodes, 1)
    counts = np.zeros(cells * cells, dtype=np.int64)
    step = max(1, 2**22 * nodes // max(len(columns), 1))
    for begin in range(0, nodes, step):
        end = min(begin + step, nodes)
        rows = np.repeat(cell[begin:end], np.diff(offsets[begin : end + 1]))
        part = columns[offsets[begin] : offsets[end]]
        counts += np.bincount(rows * cells + cell[part], minlength=cells * cells)
    ax.imshow(np.log1p(counts).reshape(cells, cells), cmap="Blues", extent=(0, nodes, nodes, 0))
    ax.set(
        title=f"{count_of(clustering.n_clusters, 'cluster')} of {count_of(nodes, 'node')}",
        xlabel="nodes, sorted by cluster",
    )


def _plot_map(points: Any, labels: Any, clusters: int, ax: Any) -> None:
    """The points in their plane, or in that of their two largest deviations, coloured by cluster."""
    values = to_points(points)
    if len(values) != len(labels):
        raise InvalidArgumentError(
            f"points: has {count_of(len(values), 'row')}; must have one for each of the {count_of(len(labels), 'label')}"
        )
    some = (
        np.arange(len(values)) if len(values) <= _POINTS else np.random.default_rng(0).choice(len(values), _POINTS, False)
    )
    plane = values[some].astype(np.float64)
    names = ("first column", "second column")
    if plane.shape[1] != 2:
        plane -= plane.mean(axis=0)
        _, axes = np.linalg.eigh(plane.T @ plane)
        plane = plane @ axes[:, ::-1][:, :2]
        names = ("first principal component", "second")
    if plane.shape[1] == 1:
        plane = np.column_stack([plane, np.zeros(len(plane))])
    # Clusters with numbers that follow each other have colours that lie apart.
    colours = (labels[some] * 0.618034) % 1
    ax.scatter(plane[:, 0], plane[:, 1], s=max(1, min(20, 4000 / len(plane))), c=colours, cmap="hsv", vmin=0, vmax=1)
    ax.set(xlabel=names[0], ylabel=names[1], title=f"{count_of(clusters, 'cluster')} of {count_of(len(values), 'point')}")


def plot_clustering(clustering: Any, figure: Any = None, points: Any = None) -> Any:
    """The figure of Clustering.plot."""
    columns = 2 if points is None else 3
    figure = _figure(figure, (6 * columns, 8))
    scores = clustering.scores()
    order = np.argsort(-scores["sizes"], kind="stable")
    grid = figure.add_gridspec(3, columns, width_ratios=(2, 1, 2)[:columns])
    _plot_matrix(clustering, order, figure.add_subplot(grid[:, 0]))
    if points is not None:
        _plot_map(points, clustering.labels, clustering.n_clusters, figure.add_subplot(grid[:, 2]))
    sizes = figure.add_subplot(grid[0, 1])
    sizes.bar(np.arange(len(order)), scores["sizes"][order])
    sizes.set(ylabel="size", title=f"modularity {scores['modularity']:.3f}")
    conductance = figure.add_subplot(grid[1, 1], sharex=sizes)
    conductance.bar(np.arange(len(order)), scores["conductance"][order])
    conductance.set(xlabel="cluster, the largest first", ylabel="conductance")
    if clustering.choice is not None:
        plot_stability(clustering.choice, figure.add_subplot(grid[2, 1]))
    elif clustering.density is not None:
        plot_density(clustering.density, clustering.lambda_k, figure.add_subplot(grid[2, 1]))
    return figure


def plot_operator(analysis_operator: Any, ax: Any = None) -> Any:
    """The rows as filters, the smoothest first: the picture of the command."""
    ax = _axes(ax)
    ax.imshow(_core.atlas(analysis_operator, {}, make_call()), cmap="gray", vmin=0, vmax=255)
    ax.set_axis_off()
    return ax


def plot_compression(compression: Any, beside: Any = (), accuracies: Any = None, figure: Any = None) -> Any:
    """The figure of Compression.plot."""
    figure = _figure(figure, (13, 4))
    bits, errors, front = figure.subplots(1, 3)
    weights = compression.weights
    places = np.arange(len(weights))
    bits.bar(places, [8 * weight["bytes"] / max(1, int(np.prod(weight["shape"]))) for weight in weights], width=1)
    bits.set(
        xlabel="layer, in the order of the file",
        ylabel="bits a weight",
        title=f"{comparison_of_bytes(compression.bytes, compression.model_bytes, 1)} bytes",
    )
    if all(weight["relative_mse"] is not None for weight in weights):
        errors.plot(places, [max(weight["relative_mse"], 1e-12) for weight in weights], marker=".", linestyle="")
        errors.set_yscale("log")
    errors.set(
        xlabel="layer, in the order of the file",
        ylabel="squared error / squares of the weight",
        title="error of the weights",
    )
    every = [compression, *beside]
    if accuracies is not None and len(accuracies) != len(every):
        raise InvalidArgumentError(
            f"accuracies: has {count_of(len(accuracies), 'value')}; must have one for each of "
            f"{count_of(len(every), 'compression')}"
        )
    values = [one.relative_mse for one in every] if accuracies is None else accuracies
    shown = sorted((one.bytes / 1e6, value) for one, value in zip(every, values, strict=True) if value is not None)
    front.plot([size for size, _ in shown], [value for _, value in shown], marker="o")
    front.set(xlabel="MB", ylabel="error of the weights" if accuracies is None else "accuracy", title="whole file")
    return figure
