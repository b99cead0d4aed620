"""The k-means of Parsimony beside that of faiss on the same points, from the same centroids, in one run.

    build/venv/bin/python bench/kmeans/compare.py                  (after ./dev bench, which builds kmeans_lloyd_seconds)
    build/venv/bin/python bench/kmeans/compare.py --target AVX2    our kernels use nothing better than AVX2

A million Gaussian points of 8 dimensions, 256 clusters, 20 iterations: the codebook of a product quantizer. Every run is a
process of its own, in turns, so that other work on the machine falls on both. Seconds are those of the call alone, without
reading the points. faiss assigns all points 20 times; Parsimony does so 21 times, as it also returns the labels and the
objective of its last centroids. The objective, the sum of squared distances to the nearest centroid, is computed here in
float64 from the centroids that either returns.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
FAISS = """
import json, sys, time
import faiss, numpy as np
points, initial = np.load(sys.argv[1]), np.load(sys.argv[2])
faiss.omp_set_num_threads(int(sys.argv[4]))
kmeans = faiss.Kmeans(points.shape[1], len(initial), niter=int(sys.argv[3]), seed=1, min_points_per_centroid=1,
                      max_points_per_centroid=len(points))  # all points; by default 256 a centroid
wall, cpu = time.perf_counter(), time.process_time()
kmeans.train(points, init_centroids=initial)
print(json.dumps({"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu, "version": faiss.__version__,
                  "target": faiss.get_compile_options().strip()}))
np.save(sys.argv[5], kmeans.centroids)
"""


def objective(points, centroids):
    centroids = centroids.astype(np.float64)
    total = 0.0
    for begin in range(0, len(points), 50000):
        block = points[begin:begin + 50000].astype(np.float64)
        squared = (centroids**2).sum(1) - 2 * block @ centroids.T
        total += (block**2).sum() + squared.min(1).sum()
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--dimensions", type=int, default=8)
    parser.add_argument("--clusters", type=int, default=256)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=5, help="runs of each, of which the median counts (default 5)")
    parser.add_argument("--target", help="best SIMD target of ours (default: that of the machine)")
    parser.add_argument("--program", type=pathlib.Path, default=drive.ROOT / "build/release/bench/kmeans_lloyd_seconds")
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "results.md")
    options = parser.parse_args()

    random = np.random.default_rng(1)
    points = random.standard_normal((options.points, options.dimensions)).astype(np.float32)
    columns = ["", "threads", "seconds", "times faster", "CPU seconds", "times fewer", "objective / points"]
    rows, notes = [], {}
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        np.save(work / "points.npy", points)
        np.save(work / "initial.npy", points[random.choice(options.points, options.clusters, replace=False)])
        inputs = [work / "points.npy", work / "initial.npy", options.iterations]
        programs = {"parsimony": [options.program], "faiss": [sys.executable, "-c", FAISS]}
        load = os.getloadavg()[0]
        for threads in options.threads:
            found = {name: [] for name in programs}
            for _ in range(options.repeat):
                for name, command in programs.items():
                    more = [options.target] if options.target and name == "parsimony" else []
                    done = drive.measure(*command, *inputs, threads, work / f"{name}.npy", *more, threads=threads)
                    found[name].append(done.report())
            median = {name: {key: statistics.median(run[key] for run in runs) for key in ("seconds", "cpu_seconds")}
                      for name, runs in found.items()}
            for name, runs in found.items():
                notes[name] = runs[-1]
                own, base = median[name], median["faiss"]
                label = f"faiss {runs[-1]['version']}" if name == "faiss" else f"parsimony, {runs[-1]['target']}"
                rows.append({"": label, "threads": threads, "seconds": own["seconds"], "CPU seconds": own["cpu_seconds"],
                             "times faster": f"{base['seconds'] / own['seconds']:.2f}",
                             "times fewer": f"{base['cpu_seconds'] / own['cpu_seconds']:.2f}",
                             "objective / points": f"{objective(points, np.load(work / f'{name}.npy')) / options.points:.6f}"})
    ours = notes["parsimony"]
    whole = 2 * options.points * options.dimensions * options.clusters * (options.iterations + 1)
    best = whole * ours["compared"] / ours["gflops"] / 1e9
    lines = ["# k-means beside faiss", "",
             f"`bench/kmeans/compare.py`, {drive.processor()}: {options.points:,} points of {options.dimensions}, {options.clusters} clusters, "
             f"{options.iterations} iterations, medians of {options.repeat}; load of the machine before it {load:.1f}. ",
             f"faiss was compiled for {notes['faiss']['target']}.", "", *drive.table(columns, rows), "",
             f"Multiply-add peak of a core under {ours['target']}: {ours['gflops']:.0f} Gflop/s. Bounds leave {100 * ours['compared']:.0f} % of the "
             f"comparisons, whose multiply-adds would take {best:.2f} s at that peak; all comparisons would take "
             f"{whole / ours['gflops'] / 1e9:.2f} s."]
    drive.write(options.output, lines)
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
