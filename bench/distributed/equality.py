"""SHA-256 of label files, and λ_k, of one process and of several, for builds with either halo.

    python3 bench/distributed/equality.py PARSIMONY… [--data ../shared/data] [--output bench/distributed/equality.md]

Each PARSIMONY is a command built with -DPARSIMONY_DISTRIBUTED=ON, such as build/release/cli/parsimony (PARSIMONY_HALO=petsc)
and build/release-mpi/cli/parsimony (PARSIMONY_HALO=mpi). The graphs: a block model of 10⁵ nodes, DBLP with a regularised
Laplacian, a graph with three components and isolated nodes, one with fewer nodes than processes, and a list of words.
Exit 1 if any hash or λ_k differs.
"""

import argparse
import gzip
import hashlib
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

ENVIRONMENT = {
    **os.environ,
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}


def edges_of_blocks(sizes: list[int], first: int, draw: random.Random) -> list[tuple[int, int]]:
    out, begin = [], first
    for size in sizes:
        for node in range(begin, begin + size):
            out += [(node, begin + draw.randrange(size)) for _ in range(8)]
            if draw.random() < 0.5:
                out.append((node, first + draw.randrange(sum(sizes))))
        begin += size
    return [(a, b) for a, b in out if a != b]


def make_graphs(folder: Path, parsimony: str, data: Path) -> list[tuple[str, Path, list[str]]]:
    """Name, file, flags."""
    draw = random.Random(1)
    sbm = folder / "sbm.mtx"
    make = [parsimony, "generate", "sbm", "--nodes", "100k", "--clusters", "50", "--degree", "16", "--output", str(sbm)]
    subprocess.run(make, check=True, capture_output=True)
    parts = edges_of_blocks([900, 1100], 0, draw) + edges_of_blocks([1500], 2400, draw) + edges_of_blocks([70], 4000, draw)
    unique = sorted({(max(e), min(e)) for e in parts})
    apart = folder / "apart.mtx"
    lines = [f"{a + 1} {b + 1}" for a, b in unique]
    apart.write_text(f"%%MatrixMarket matrix coordinate pattern symmetric\n4200 4200 {len(lines)}\n" + "\n".join(lines) + "\n")
    words = folder / "words.csv"
    words.write_text("source,target\n" + "".join(f'"node {a}, {a % 7}",n{b}\n' for a, b in parts))
    tiny = folder / "tiny.txt"
    tiny.write_text("1 2\n2 3\n3 1\n")
    out = [
        ("SBM 10⁵", sbm, ["--clusters", "50"]),
        ("three components, isolated nodes", apart, ["--clusters", "6"]),
        ("the same as one graph, τ > 0", apart, ["--clusters", "6", "--components", "whole", "--regularization", "1"]),
        ("words", words, ["--clusters", "6"]),
        ("3 nodes", tiny, ["--clusters", "2"]),
    ]
    packed = data / "graphs" / "com-dblp.ungraph.txt.gz"
    if not packed.exists():
        packed = next(data.rglob("com-dblp.ungraph.txt.gz"), packed)
    if packed.exists():
        plain = folder / "dblp.txt"
        plain.write_bytes(gzip.decompress(packed.read_bytes()))
        out.append(("DBLP, τ > 0", plain, ["--clusters", "100"]))
    else:
        print("DBLP is not there and left out")
    return out


def run(parsimony: str, processes: int, graph: Path, flags: list[str], labels: Path) -> tuple[str, str, float]:
    """Start of the hash of the labels, λ_k, τ."""
    start = ["mpirun", "-n", str(processes)] if processes > 0 else []
    command = [*start, parsimony, "cluster", str(graph), "--method", "compressive", *flags, "--output", str(labels), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    report = json.loads(done.stdout)
    digest = hashlib.sha256(labels.read_bytes()).hexdigest()
    return digest, repr(report["figures"].get("lambda_k")), report["options"].get("regularization", 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parsimony", nargs="+")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    lines = ["| graph | τ | λ_k | SHA-256 of the labels | equal for |", "|---|---|---|---|---|"]
    differ = 0
    with tempfile.TemporaryDirectory(prefix="parsimony-equality-") as name:
        folder = Path(name)
        for graph, path, flags in make_graphs(folder, arguments.parsimony[0], arguments.data):
            one = run(arguments.parsimony[0], 0, path, flags, folder / "labels.npy")
            equal = 0
            for parsimony in arguments.parsimony:
                for processes in (1, 2, 3, 4):
                    many = run(parsimony, processes, path, flags, folder / "labels.npy")
                    if many == one:
                        equal += 1
                    else:
                        differ += 1
                        print(f"{graph}: {parsimony} on {processes} processes has {many}, not {one}")
            runs = 4 * len(arguments.parsimony)
            lines.append(f"| {graph} | {one[2]:.3g} | {one[1]} | `{one[0]}` | {equal} of {runs} runs on 1 to 4 processes |")
            print(lines[-1], flush=True)
    if arguments.output:
        arguments.output.write_text("\n".join(lines) + "\n")
    return differ > 0


if __name__ == "__main__":
    raise SystemExit(main())
