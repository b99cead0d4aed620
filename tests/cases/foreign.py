"""Reads graph files of other tools' public repositories as igraph, SciPy or networkx do, and compares every edge.

    tests/cases/foreign.py build/dev/cli/parsimony MIRRORS [--table]

foreign.txt lists the files: repository, path, oracle. None of them is part of this project: MIRRORS is a folder with a clone of each
repository (bare or not), owner+name, as `git clone --bare https://github.com/OWNER/NAME MIRRORS/OWNER+NAME` makes it. Needs NumPy,
SciPy, networkx and igraph. The comparison is of names of nodes, of edges, and of weights to float32.

Arcs are read with --directed (an edge weighs the sum of its directions). Oracles: igraph for GML, GraphML and Pajek; SciPy for Matrix
Market; networkx for edge lists; for METIS, which none of them reads, the lines of the file by NumPy. `refused: WORDS` is a file that is
not a graph of positive weights: the message must have these words. --table prints a line of Markdown for each file. Each graph that was
read is also written in each format that can hold it, and read back by these tools.
"""

import argparse
import collections
import csv
import html
import io
import pathlib
import subprocess
import sys
import tempfile
import warnings

import igraph
import networkx
import numpy as np
import scipy.io
import scipy.sparse

LIST = pathlib.Path(__file__).with_name("foreign.txt")


class Graph:
    """Names of nodes, and weights by pairs of names; loops and edges of weight 0 are left out."""

    def __init__(self, nodes):
        self.nodes, self.weights = set(nodes), collections.defaultdict(float)

    def add(self, a, b, weight):
        if a != b and weight != 0:
            self.weights[frozenset((a, b))] += weight

    def differences(self, other):
        if self.nodes != other.nodes:
            return f"{len(self.nodes ^ other.nodes)} nodes differ, as {sorted(self.nodes ^ other.nodes)[:3]}"
        if self.weights.keys() != other.weights.keys():
            return f"{len(self.weights.keys() ^ other.weights.keys())} edges differ"
        wrong = sum(abs(w - other.weights[e]) > 1e-6 * abs(w) for e, w in self.weights.items())
        return f"{wrong} weights differ" if wrong else ""


def from_arcs(names, arcs, weighted, directed):
    """A repeated arc is the same arc without weights; with weights, it adds. Directions add up in directed graphs."""
    graph, seen = Graph(names), set()
    for a, b, weight in arcs:
        key = (a, b) if directed else frozenset((a, b))
        if not weighted and key in seen:
            continue
        seen.add(key)
        graph.add(a, b, weight if weighted else 1)
    return graph


def unique(*columns):
    for names in columns:
        if len(set(names)) == len(names) and all(name not in (None, "") for name in names):
            return names
    return columns[-1]


def read_igraph(path, kind):
    found = getattr(igraph.Graph, {"gml": "Read_GML", "graphml": "Read_GraphML", "net": "Read_Pajek"}[kind])(str(path))
    numbers = [str(i + 1) for i in range(found.vcount())]

    def attribute(name):
        values = found.vs[name] if name in found.vs.attributes() else numbers
        return [str(int(v)) if isinstance(v, float) and v.is_integer() else html.unescape(str(v)) for v in values]

    if kind == "graphml":
        names = attribute("id")
    elif kind == "gml":
        names = unique(attribute("label"), attribute("id")) if "label" in found.vs.attributes() else attribute("id")
    else:
        names = unique(attribute("name" if "name" in found.vs.attributes() else "id"), numbers)
    key = next((key for key in ("weight", "value") if key in found.es.attributes() and (kind == "gml" or key == "weight")), None)
    weights = found.es[key] if key else [1.0] * found.ecount()
    weights = [1.0 if w is None or w != w else float(w) for w in weights]
    arcs = [(names[e.source], names[e.target], w) for e, w in zip(found.es, weights)]
    return from_arcs(names, arcs, key is not None, found.is_directed()), found.is_directed()


def read_scipy(path):
    rows, columns, _, form, field, symmetry = scipy.io.mminfo(path)
    matrix = scipy.io.mmread(path).tocoo()
    if rows != columns:
        names = [f"left:{i + 1}" for i in range(rows)] + [f"right:{j + 1}" for j in range(columns)]
        arcs = [(f"left:{i + 1}", f"right:{j + 1}", w) for i, j, w in zip(matrix.row, matrix.col, matrix.data)]
        return from_arcs(names, arcs, field != "pattern", False), False
    names = [str(i + 1) for i in range(rows)]
    arcs = [(names[i], names[j], float(w)) for i, j, w in zip(matrix.row, matrix.col, matrix.data)
            if symmetry == "general" or i >= j]
    return from_arcs(names, arcs, field != "pattern", symmetry == "general"), symmetry == "general"


def read_networkx(path, weighted, directed=False):
    lines = [line.split() for line in path.read_text().splitlines() if line.strip() and line[0] not in "#%"]
    maker = networkx.MultiDiGraph if directed else networkx.MultiGraph
    found = (networkx.parse_edgelist([" ".join(line) for line in lines], create_using=maker, data=(("weight", float),))
             if weighted else networkx.parse_edgelist([" ".join(line[:2]) for line in lines], create_using=maker))
    arcs = [(a, b, data.get("weight", 1.0)) for a, b, data in found.edges(data=True)]
    return from_arcs(found.nodes, arcs, weighted, directed), directed


def read_metis(path):
    lines = [line for line in path.read_text().split("\n") if not line.startswith("%")]
    while not lines[0].strip():
        lines.pop(0)
    head = [int(x) for x in lines[0].split()]
    n, form = head[0], f"{head[2] if len(head) > 2 else 0:03d}"
    skipped = (form[0] == "1") + (form[1] == "1") * (head[3] if len(head) > 3 else 1)
    graph, weighted = Graph(str(i + 1) for i in range(n)), form[2] == "1"
    arcs = collections.defaultdict(float)
    for i, line in enumerate(lines[1 : n + 1]):
        values = np.array(line.split(), float)[skipped:]
        for j, weight in zip(values[:: 2 if weighted else 1], values[1::2] if weighted else np.ones(len(values))):
            if weighted:
                arcs[i + 1, int(j)] += weight
            else:
                arcs[i + 1, int(j)] = 1.0
    for (a, b), weight in arcs.items():
        graph.add(str(a), str(b), weight / 2)
    return graph, False


def oracle(kind, path):
    if kind in ("gml", "graphml", "net"):
        return read_igraph(path, kind)
    return {"mtx": lambda: read_scipy(path), "edges": lambda: read_networkx(path, False),
            "weighted": lambda: read_networkx(path, True), "weighted-arcs": lambda: read_networkx(path, True, True),
            "metis": lambda: read_metis(path)}[kind]()


def parse(text):
    """The graph of an edge list that the command writes; a loop stands for a node without edges."""
    rows = [row for row in csv.reader(io.StringIO(text), delimiter="\t") if row and not row[0].startswith("#")]
    graph = Graph(name for row in rows for name in row[:2])
    for row in rows:
        graph.add(row[0], row[1], float(row[2]) if len(row) > 2 else 1.0)
    return graph


def written_wrong(command, source, flags, graph, folder):
    """The formats that other tools do not read back as the same graph."""
    wrong, names = [], None
    for kind in ("mtx", "npz", "gml", "graphml", "net"):
        out = folder / f"out.{kind}"
        done = subprocess.run([command, "convert", source, out, *flags, "-q"], capture_output=True, text=True)
        if done.returncode:
            wrong.append(f"{kind}: {done.stderr.strip()}")
            continue
        if kind in ("mtx", "npz"):
            matrix = (scipy.io.mmread(out) if kind == "mtx" else scipy.sparse.load_npz(out)).tocoo()
            total = sum(graph.weights.values())
            same = (matrix.shape[0] == len(graph.nodes) and matrix.nnz == 2 * len(graph.weights)
                    and abs(matrix.sum() / 2 - total) <= 1e-5 * max(1, total))
            names = None if same else f"{kind}: another matrix"
        else:
            names = read_igraph(out, kind)[0].differences(graph)
            names = names and f"{kind}: {names}"
        if names:
            wrong.append(names)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", type=pathlib.Path)
    parser.add_argument("mirrors", type=pathlib.Path)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    counts, failed = collections.Counter(), 0
    if arguments.table:
        print("| repository | file | nodes | edges | oracle |\n|---|---|---|---|---|")
    for line in LIST.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        repository, path, kind = line.split(None, 2)
        git = arguments.mirrors / repository.replace("/", "+")
        git = next((folder for folder in (git / "repo", git) if folder.exists()), git)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            source = folder / pathlib.Path(path).name
            try:
                source.write_bytes(subprocess.run(["git", "-C", git, "show", f"HEAD:{path}"], check=True, capture_output=True).stdout)
            except (OSError, subprocess.CalledProcessError):
                counts["missing"] += 1
                print(f"missing  {repository} {path}")
                continue
            if kind.startswith("refused:"):
                words = kind.split(":", 1)[1].strip()
                done = subprocess.run([arguments.command, "convert", source, folder / "out.npz"], capture_output=True, text=True)
                right = done.returncode == 1 and words in done.stderr
                problem, size = "" if right else f"exit status {done.returncode}: {done.stderr.strip()}", ("refused", "")
                counts["refused"] += right
            else:
                graph, directed = oracle(kind, source)
                flags = ["--directed"] if directed else []
                done = subprocess.run([arguments.command, "convert", source, "-", "--output-format", "edge-list", "-q", *flags],
                                      capture_output=True, text=True)
                problem = done.stderr.strip() if done.returncode else parse(done.stdout).differences(graph)
                problem = problem or "; ".join(written_wrong(arguments.command, source, flags, graph, folder))
                size = (len(graph.nodes), len(graph.weights))
                counts["equal"] += not problem
        if problem:
            failed += 1
            print(f"DIFFERS  {repository} {path}: {problem}")
        elif arguments.table:
            print(f"| {repository} | {path} | {size[0]} | {size[1]} | {kind} |")
    print(f"\n{counts['equal']} files are read and written as other tools do, {counts['refused']} refused as they must be, "
          f"{failed} differ, {counts['missing']} are missing")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
