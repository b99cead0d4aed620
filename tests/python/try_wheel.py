"""Tries an installed wheel: one call of each part, and the libraries that the module loads. Needs NumPy only."""

import sys
import time
from importlib.metadata import requires

begin = time.perf_counter()
import parsimony_ml as pm  # noqa: E402

seconds = time.perf_counter() - begin
assert "numpy" not in sys.modules

import numpy as np  # noqa: E402

from parsimony_ml import _core, quant  # noqa: E402

rng = np.random.default_rng(0)
points = np.repeat(np.eye(3) * 9, 100, axis=0) + rng.normal(size=(300, 3))
assert pm.cluster(points, 3).scores(np.repeat([0, 1, 2], 100))["adjusted_rand"] == 1
picture = np.clip(np.add.outer(np.arange(64), 2 * np.arange(64)) + rng.normal(0, 15, (64, 64)), 0, 255)
assert pm.denoise(picture.astype(np.uint8)).shape == (64, 64)
assert pm.learn_operator(rng.normal(size=(500, 8)), max_iterations=3).analysis_operator.shape == (16, 8)
assert quant.quantize(rng.normal(size=(64, 64)).astype(np.float32)) is not None

print(f"import {seconds:.3f} s; SIMD target {_core.simd_target()}; requires {requires('parsimony-ml')}")
if sys.platform == "linux":
    with open("/proc/self/maps") as maps:
        loaded = {line.split()[-1] for line in maps if ".so" in line}
    # The folders of packages, of which /usr is not one: a library there is the system's.
    own = (pm.__file__.rsplit("/", 2)[0], f"{sys.base_prefix}/lib/python")
    foreign = sorted(path.rsplit("/", 1)[-1] for path in loaded if not path.startswith(own))
    print(f"libraries of the system: {foreign}")
    # Modules of Python load some, such as libssl; none of these is theirs.
    wrong = ("tbb", "hwy", "fmt", "zstd", "png", "tiff", "jpeg", "webp", "pugixml", "Clp", "blas")
    assert not [name for name in foreign if any(part in name for part in wrong)], foreign
