"""The cost of an installation of parsimony_ml, beside scikit-learn, faiss, igraph and leidenalg, as a table.

    python bench/python/imports.py WHEEL [REPEATS]

makes a virtual environment for each package, installs it from PyPI (parsimony-ml from WHEEL, made by ./dev wheel) and
starts fresh interpreters in them in turn, with no variables of this environment. The wheel is that of the package alone;
"all wheels" are those that pip downloads for it. Seconds and memory of the import and of a first clustering of 300 points
are medians; memory is the resident set that they add to an interpreter that has imported nothing.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

# The package: imports, and a first call that makes three clusters of `points`, a list of rows.
PACKAGES = {
    "parsimony-ml": (
        "import parsimony_ml as pm",
        "import numpy as np; pm.cluster(np.array(points), 3)",
    ),
    "scikit-learn": (
        "import sklearn.cluster",
        "sklearn.cluster.SpectralClustering(3, affinity='nearest_neighbors').fit(points)",
    ),
    "faiss-cpu": (
        "import faiss",
        "import numpy as np; faiss.Kmeans(2, 3, min_points_per_centroid=1).train(np.array(points, np.float32))",
    ),
    "igraph": (
        "import igraph",
        "igraph.Graph([(i, j) for i in range(300) for j in range(i) if i % 3 == j % 3 and (i + j) % 7 == 0])"
        ".community_leiden('modularity')",
    ),
    "leidenalg": (
        "import leidenalg, igraph",
        "leidenalg.find_partition(igraph.Graph([(i, j) for i in range(300) for j in range(i) if i % 3 == j % 3 and "
        "(i + j) % 7 == 0]), leidenalg.ModularityVertexPartition)",
    ),
}

MEASURE = """
import os, sys, time
points = [[9.0 * (i % 3) + (i * 7919 % 101) / 101, (i * 104729 % 97) / 97] for i in range(300)]
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20
memory, begin = resident(), time.perf_counter()
{imports}
seconds, grown = time.perf_counter() - begin, resident() - memory
begin = time.perf_counter()
{call}
print(seconds, grown, seconds + time.perf_counter() - begin, resident() - memory)
"""


def quiet(*command: object) -> str:
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def size(paths: list[pathlib.Path]) -> float:
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def install(name: str, source: str, folder: pathlib.Path) -> dict[str, object]:
    """An environment with the package alone, and the sizes of its wheels and files."""
    downloads, environment = folder / f"{name}-wheels", folder / name
    quiet(sys.executable, "-m", "venv", "--without-pip", environment)
    quiet(sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", downloads, source)
    wheels = sorted(downloads.iterdir())
    site = next((environment / "lib").glob("python*/site-packages"))
    quiet(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile", "--target", site, *wheels)
    own = next(wheel for wheel in wheels if wheel.name.replace("_", "-").startswith(f"{name}-"))
    return {
        "python": environment / "bin/python",
        "version": own.name.split("-")[1],
        "tag": "-".join(own.name.removesuffix(".whl").split("-")[2:4]),
        "wheel": size([own]),
        "wheels": size(wheels),
        "needs": [wheel.name.split("-")[0] for wheel in wheels if wheel != own],
        "installed": size(list(site.rglob("*"))),
    }


def main() -> None:
    wheel, repeats = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 9
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        made = {package: install(package, wheel if package == "parsimony-ml" else package, folder) for package in PACKAGES}
        runs: dict[str, list[list[float]]] = {package: [] for package in PACKAGES}
        bare = {"PATH": "/usr/bin:/bin", "HOME": name}
        for turn in range(repeats + 1):
            for package, (imports, call) in PACKAGES.items():
                command = [made[package]["python"], "-P", "-c", MEASURE.format(imports=imports, call=call)]
                out = subprocess.run(command, check=True, capture_output=True, text=True, env=bare).stdout
                if turn > 0:  # the first turn compiles the files of the package, and reads them from the disk
                    runs[package].append([float(word) for word in out.split()[-4:]])
    print("| package | Python and ABI | wheel, MB | all wheels, MB | installed, MB | import, s | MiB | with a first call, s | MiB | needs |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for package, facts in made.items():
        seconds, memory, all_seconds, all_memory = (statistics.median(column) for column in zip(*runs[package], strict=True))
        print(f"| {package} {facts['version']} | {facts['tag']} | {facts['wheel']:.1f} | {facts['wheels']:.1f} | "
              f"{facts['installed']:.1f} | {seconds:.3f} | {memory:.1f} | {all_seconds:.2f} | {all_memory:.0f} | "
              f"{', '.join(facts['needs'])} |")
    print(f"\nPython {sys.version.split()[0]}, {repeats} interpreters each, load {os.getloadavg()[0]:.1f} at the end.")


if __name__ == "__main__":
    main()
