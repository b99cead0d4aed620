"""Processes of Python, and calls that take seconds as code for them; tests interrupt them."""

import subprocess
import sys
import textwrap


def python(code, **keywords):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **keywords,
    )  # fmt: skip


LONG = """
import numpy as np, scipy.sparse as sp, parsimony_ml as pm
rng = np.random.default_rng(0)
edges = rng.integers(0, 200_000, (3_000_000, 2))
points = rng.normal(size=(60_000, 24)).astype(np.float32)
image = rng.normal(128, 20, (3000, 3000))
signals = rng.normal(size=(60_000, 64)).astype(np.float32)
weights = rng.normal(size=(8192, 4096)).astype(np.float32)
calls = {
    "cluster": lambda: pm.cluster((edges, None), 50, method="compressive", order=500),
    "points": lambda: pm.knn_graph(points, 50, search="exact"),
    "denoise": lambda: pm.denoise(image, data_range=255, adapt=True),
    "learn": lambda: pm.learn_operator(signals, max_iterations=10_000),
    "choose": lambda: pm.choose_n_clusters((edges, None), order=500),
    "quantize": lambda: pm.quant.quantize(weights, "pq4x256", max_iterations=10_000),
}
"""
