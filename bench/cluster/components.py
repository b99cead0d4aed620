"""A large component among tiny ones: how `parsimony cluster` divides it, beside the same graph without them.

    components.py                       three graphs of the data sets: writes results/components.md
    components.py --graphs FILE… --clusters 2 20 --tiny 10 1000 --output /tmp/components.md

Every graph is reduced to its largest component. Then m paths of 2 to 4 nodes are added under ids that fall between those
of its nodes. The table has the modularity of the large component, by its own edges, without and with the tiny ones, the
ARI of its two labelings, and the processor seconds of both runs, with one thread.
"""

import argparse
import collections
import gzip
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive

METHODS = ["auto", "compressive", "filtered", "exact"]
GRAPHS = ["fb100-Caltech36.edges.gz", "lastfm-asia.edges.gz", "pubmed.edges"]


def read_edges(path):
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else open(path)
    with opened as file:
        rows = [line.split()[:2] for line in file if line.strip() and line[0] not in "#%"]
    return {(min(a, b), max(a, b)) for a, b in ((int(a), int(b)) for a, b in rows) if a != b}


def largest_component(edges):
    neighbors = collections.defaultdict(list)
    for a, b in edges:
        neighbors[a].append(b)
        neighbors[b].append(a)
    seen, best = set(), []
    for seed in neighbors:
        if seed in seen:
            continue
        found = [seed]
        seen.add(seed)
        for node in found:
            for other in neighbors[node]:
                if other not in seen:
                    seen.add(other)
                    found.append(other)
        best = max(best, found, key=len)
    number = {node: i for i, node in enumerate(sorted(best))}
    return [(number[a], number[b]) for a, b in edges if a in number], len(best)


def with_tiny(edges, nodes, tiny):
    """Edges under new ids, and the id of every node of the large component."""
    step = 1 + 4 * tiny // nodes + 4
    ids = [step * i for i in range(nodes)]
    out = [(ids[a], ids[b]) for a, b in edges]
    for component in range(tiny):
        at = step * (component % nodes) + 1 + 4 * (component // nodes)
        out += [(at + i, at + i + 1) for i in range(1 + component % 3)]
    return out, ids


def agreement(x, y):
    """Adjusted Rand index."""
    def pairs(counts):
        return sum(n * (n - 1) / 2 for n in counts.values())
    both, one, other = (pairs(collections.Counter(z)) for z in (zip(x, y), x, y))
    chance = one * other / (len(x) * (len(x) - 1) / 2)
    most = (one + other) / 2
    return 1.0 if most == chance else (both - chance) / (most - chance)


def modularity(edges, labels):
    volume, inside = collections.Counter(), 0
    for a, b in edges:
        volume[labels[a]] += 1
        volume[labels[b]] += 1
        inside += labels[a] == labels[b]
    return inside / len(edges) - sum((v / (2 * len(edges))) ** 2 for v in volume.values())


def cluster(options, edges, ids, clusters, method, folder):
    graph, labels = folder / "graph.txt", folder / "labels.txt"
    graph.write_text("".join(f"{a} {b}\n" for a, b in edges))
    run = drive.execute([options.parsimony, "cluster", graph, "--clusters", clusters, "--method", method, "--threads", 1,
                         "-q", "--output", labels], allowed=(0, drive.NOT_CONVERGED))
    if run.status != "ok":
        sys.exit(f"components.py: {run.status}")
    of = {int(node): int(label) for node, label in (line.split() for line in labels.read_text().splitlines())}
    return [of[node] for node in ids], run.cpu


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parsimony", type=pathlib.Path, default=drive.PARSIMONY)
    parser.add_argument("--graphs", nargs="+", type=pathlib.Path, default=[drive.GRAPHS / name for name in GRAPHS])
    parser.add_argument("--clusters", nargs="+", type=int, default=[2, 10, 100])
    parser.add_argument("--tiny", nargs="+", type=int, default=[10, 1000, 100000])
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--output", type=pathlib.Path, default=drive.ROOT / "bench/cluster/results/components.md")
    options = parser.parse_args()
    lines = ["# A large component among tiny ones", "",
             "By `bench/cluster/components.py`, which says what the columns are.", "",
             "| graph | nodes | k | m | method | modularity without | with | ARI of the two | seconds without | with |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path in options.graphs:
            edges, nodes = largest_component(read_edges(path))
            for k in options.clusters:
                for method in options.methods:
                    alone, seconds = cluster(options, edges, range(nodes), k, method, folder)
                    for tiny in options.tiny:
                        more, ids = with_tiny(edges, nodes, tiny)
                        found, longer = cluster(options, more, ids, k, method, folder)
                        lines.append(f"| {path.name.split('.')[0]} | {nodes} | {k} | {tiny} | {method} "
                                     f"| {modularity(edges, alone):.4f} | {modularity(edges, found):.4f} "
                                     f"| {agreement(alone, found):.4f} | {seconds:.2f} | {longer:.2f} |")
                        print(lines[-1], flush=True)
    options.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
