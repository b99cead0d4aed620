import os
import signal
import subprocess

import numpy as np
import pytest
import scipy.sparse as sp

# A job in the background of a shell ignores SIGINT, and so would the processes that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def command():
    """Runs the command: command("cluster", path, "--clusters", 3). Status 3: a limit of iterations was met."""
    program = os.environ.get("PARSIMONY")
    if program is None:
        pytest.skip("PARSIMONY names no program: ./dev test python does")

    def run(*arguments, statuses=(0,)):
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode in statuses, done.stderr
        return done.stdout

    return run


def block_graph(nodes=600, blocks=4, inside=0.08, across=0.01, seed=0, weighted=False):
    """A symmetric CSR matrix with planted blocks, in the layout that the library takes where it lies; the blocks."""
    rng = np.random.default_rng(seed)
    labels = np.sort(rng.integers(0, blocks, nodes)).astype(np.int32)
    density = np.where(labels[:, None] == labels[None, :], inside, across)
    upper = np.triu(rng.random((nodes, nodes)) < density, 1)
    values = np.where(upper, rng.uniform(0.5, 2, upper.shape) if weighted else 1, 0).astype(np.float32)
    matrix = sp.csr_array(values + values.T)
    matrix.sort_indices()
    return matrix, labels


@pytest.fixture(scope="session")
def blocks():
    return block_graph()


@pytest.fixture(scope="session")
def weighted_blocks():
    return block_graph(weighted=True)


def photograph(height=80, width=112):
    """A smooth picture with edges, grey values 20 to 230."""
    y, x = np.mgrid[0:height, 0:width]
    picture = 120 + 50 * np.sin(x / 11) * np.cos(y / 17) + 40 * ((x - 60) ** 2 + (y - 40) ** 2 < 600)
    return np.clip(picture - 30 * (x > y + 20), 20, 230)
