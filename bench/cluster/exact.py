"""`parsimony cluster --method exact` beside ARPACK: eigenvalues, labels and time on ten graphs, as a Markdown table.

    build/venv/bin/python bench/cluster/exact.py                    (after ./dev build; half an hour, nearly all ARPACK)
    build/venv/bin/python bench/cluster/exact.py --graphs 4elt email pubmed --limit 60

Both solve the plain problem, I − D^(−1/2) W D^(−1/2) on the nodes with edges; ARPACK is called and its rows clustered as in
peers.py. Seconds of Parsimony are those of the whole command, of ARPACK those of the eigenvectors and of k-means alone.
"""

import argparse
import pathlib
import sys
import tempfile

from compare import drive, prepare

GRAPHS = {  # name: file or the arguments of generate sbm, clusters, truth
    "4elt": ("4elt.graph", 16, None),
    "wing": ("wing.graph", 20, None),
    "polblogs": ("polblogs.graph", 10, None),
    "email": ("email-Eu-core.txt", 42, "email-Eu-core-department-labels.txt"),
    "pubmed": ("pubmed.edges", 3, "pubmed.labels"),
    "lfr-0.1": ("lfr/lfr-mu0.1.edges.gz", 20, "lfr/lfr-mu0.1.labels.gz"),
    "lfr-0.3": ("lfr/lfr-mu0.3.edges.gz", 20, "lfr/lfr-mu0.3.labels.gz"),
    "sbm-10000": ((10000, 100), 100, "planted"),
    "sbm-100000": ((100000, 100), 100, "planted"),
    "dblp": ("com-dblp.ungraph.txt.gz", 50, None),
}
COLUMNS = ["graph", "nodes", "edges", "k", "largest difference of an eigenvalue", "ours: s", "ARPACK: eigenvectors s", "+ k-means s",
           "ratio", "ours: MiB", "ARPACK: MiB", "ARI ours – ARPACK", "ours: ARI", "ARPACK: ARI", "ours: normalised cut",
           "ARPACK: normalised cut"]
PEER = """
import json, sys, time
import numpy as np, scipy.sparse, scipy.sparse.linalg
from sklearn.cluster import KMeans
graph = scipy.sparse.load_npz(sys.argv[1]).tocsr().astype(np.float64)
clusters, seed = int(sys.argv[2]), int(sys.argv[3])
degree = np.asarray(graph.sum(axis=1)).ravel()
keep = np.flatnonzero(degree)
graph = graph[keep][:, keep]
begin = time.perf_counter()
scale = scipy.sparse.diags(1 / np.sqrt(degree[keep]))
start = np.random.default_rng(seed).standard_normal(len(keep))
values, vectors = scipy.sparse.linalg.eigsh(scale @ graph @ scale, k=clusters, which="LA", v0=start)
middle = time.perf_counter()
vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
found = KMeans(clusters, n_init=10, random_state=seed).fit_predict(vectors)
end = time.perf_counter()
labels = np.full(len(degree), np.bincount(found).argmax(), np.int32)
labels[keep] = found
np.save(sys.argv[4], labels)
print(json.dumps({"eigenvalues": sorted(1 - values), "eigenvectors": middle - begin, "kmeans": end - middle}))
"""


def scored(parsimony, labels, *against):
    return drive.report(parsimony, "score", labels, *against, "--json")


def measure(options, name, work):
    """One row of the table."""
    source, clusters, truth = GRAPHS[name]
    graph = work / "graph.mtx"
    if isinstance(source, tuple):
        drive.run(options.parsimony, "generate", "sbm", "--nodes", source[0], "--clusters", source[1], "--degree", 16,
             "--epsilon-ratio", 0.25, "--seed", options.seed, "--output", graph, "--labels", work / "planted.txt", "--quiet")
        truth = work / "planted.txt"
    else:
        graph = drive.GRAPHS / source
        truth = drive.GRAPHS / truth if truth else None
    case = {"graph": graph, "truth": truth, "clusters": [clusters]}
    prepare(options, case, work)
    npz = case["npz"]
    ours, theirs = work / "ours.npy", work / "arpack.npy"
    # 3: not converged, of which the difference of the eigenvalues speaks.
    done = drive.execute(
        [options.parsimony, "cluster", graph, "--method", "exact", "--clusters", clusters, "--regularization", 0, "--seed", options.seed,
         "--threads", options.threads, "--json", "--output", ours, "--quiet"], options.limit, options.threads, (0, drive.NOT_CONVERGED))
    if done.status != "ok":
        raise RuntimeError(f"{name}: {done.status} after {done.wall:.1f} s")
    report, seconds = done.report(), done.wall
    row = {"graph": name, "nodes": report["graph"]["nodes"], "edges": report["graph"]["edges"], "k": clusters, "ours: s": f"{seconds:.2f}",
           "ours: MiB": f"{done.memory:.0f}"}

    def judge(labels, method):
        row[f"{method}: normalised cut"] = f"{scored(options.parsimony, labels, '--graph', npz)['scores']['normalized_cut']:.3f}"
        if truth:
            row[f"{method}: ARI"] = f"{scored(options.parsimony, labels, '--truth', case['truth_order'])['agreement']['adjusted_rand']:.3f}"

    judge(ours, "ours")
    command = [sys.executable, "-c", PEER, npz, clusters, options.seed, theirs]
    other = drive.execute(command, options.limit, options.threads)
    if other.status != "ok":
        row["ARPACK: eigenvectors s"] = other.status
        return row
    peer = other.report()
    both = peer["eigenvectors"] + peer["kmeans"]
    difference = max(abs(a - b) for a, b in zip(report["figures"]["eigenvalues"], peer["eigenvalues"]))
    row |= {"largest difference of an eigenvalue": f"{difference:.1e}", "ARPACK: eigenvectors s": f"{peer['eigenvectors']:.2f}",
            "+ k-means s": f"{peer['kmeans']:.2f}", "ratio": f"{both / seconds:.1f}", "ARPACK: MiB": f"{other.memory:.0f}",
            "ARI ours – ARPACK": f"{scored(options.parsimony, ours, '--truth', theirs)['agreement']['adjusted_rand']:.3f}"}
    judge(theirs, "ARPACK")
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", nargs="+", choices=GRAPHS, default=list(GRAPHS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=900, help="seconds that one run may take (default 900)")
    drive.add_flags(parser)
    parser.add_argument("--output", type=pathlib.Path, default=drive.ROOT / "bench/cluster/results/exact.md")
    options = parser.parse_args()
    lines = [drive.head(options.parsimony, options.threads), "", *drive.table(COLUMNS)]
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in options.graphs:
            source = GRAPHS[name][0]
            if isinstance(source, str) and not (drive.GRAPHS / source).exists():
                print(f"{drive.GRAPHS / source} is missing: {name} is left out", file=sys.stderr)
                continue
            row = measure(options, name, pathlib.Path(folder))
            lines.append(drive.table(COLUMNS, [row])[-1])
            print(lines[-1], flush=True)
            drive.write(options.output, lines)


if __name__ == "__main__":
    main()
