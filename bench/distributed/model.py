"""The time and memory that clustering needs on several machines, by a model of its memory and network traffic.

    python3 bench/distributed/model.py                 # the table of docs/machines.md
    python3 bench/distributed/model.py --check build/release/cli/parsimony GRAPH CLUSTERS

--check runs the command under mpirun on 1 to 4 processes and compares the bytes that it counts with the model:
the ghosts of the graph x the columns of a panel x 4 bytes, for each step. It needs no network of its own.
"""

import argparse
import json
import math
import os
import subprocess

ORDER = 50  # products with the Laplacian of one filter
DENSITY_ORDER, DENSITY_SIGNALS = 50, 16
PANEL, LINE = 32, 16  # columns filtered at a time, and those of a cache line
# Bytes in memory for each byte of a ghost row: packed at its owner (read and written), and written where it arrives.
# Within a machine it is copied from one process to another, which reads it once more.
PACKED, BESIDE = 3, 4


def panels(features: int) -> list[int]:
    """Columns of each panel that holds the features."""
    return [min(PANEL, -(-(features - first) // LINE) * LINE) for first in range(0, features, PANEL)]


def columns_of_group(features: int, groups: int) -> int:
    """Features that the largest of the groups filters: whole lines."""
    return min(features, -(-(-(-features // LINE)) // groups) * LINE)


def columns_moved(features: int, order: int = ORDER) -> int:
    """Columns of ghost rows that all steps of a run exchange: the count of eigenvalues, and the features."""
    return DENSITY_ORDER * DENSITY_SIGNALS + order * sum(panels(features))


def bytes_received(ghosts: float, features: int, order: int = ORDER) -> float:
    """Bytes that all processes together receive. ghosts: those of all processes."""
    return ghosts * columns_moved(features, order) * 4


def bytes_moved(nodes: float, edges: float, features: int, order: int = ORDER) -> float:
    """Bytes that the steps of all processes move in memory, without those of the ghosts."""
    # A gathered row of a panel comes from memory; the panels are read and written, the matrix is read once a panel.
    columns = columns_moved(features, order)
    passes = DENSITY_ORDER * (DENSITY_SIGNALS // LINE) + order * len(panels(features))
    return 2 * edges * 4 * (columns + passes) + nodes * columns * 4 * 4


def random_ghosts(nodes: float, edges: float, parts: int) -> float:
    """Ghosts of all parts together, where the neighbours of a node are anywhere."""
    reach = 1 - math.exp(-2 * edges / nodes / parts)  # a node of another part has a neighbour in this one
    return nodes * (parts - 1) * reach


def community_ghosts(nodes: float, edges: float, parts: int) -> float:
    """The same for an order by communities, with the shares measured on DBLP."""
    shares = {1: 0, 2: 0.19, 4: 0.37, 16: 0.69, 64: 1.08}
    return nodes * shares[parts] * min(1, random_ghosts(nodes, edges, parts) / nodes)


def run(nodes: float, edges: float, features: int, parts: int, ghosts_of, memory: float, network: float, groups: int = 1):
    """Seconds and bytes of one of `parts` machines. ghosts_of(nodes, edges, parts): ghosts of all parts together.
    memory, network: bytes per second of one machine. Each group of machines holds the graph and filters a part of the
    features."""
    in_group = parts // groups
    own_edges, own_nodes, ghosts = 2 * edges / in_group, nodes / in_group, ghosts_of(nodes, edges, in_group)
    own = columns_of_group(features, groups)
    moved = bytes_moved(nodes, edges, own) / in_group
    received = bytes_received(ghosts, own) / in_group
    seconds = (moved + PACKED * received) / memory + received / network
    held = own_edges * 4 + own_nodes * 8 + (own_nodes + ghosts / in_group) * 2 * PANEL * 4 + own_nodes * own * 4
    return seconds, held


def best_groups(nodes: float, edges: float, features: int, parts: int, ghosts_of, memory: float, network: float) -> int:
    """As the command chooses them: more groups than 1 must save a tenth."""
    fit = [g for g in range(1, parts + 1) if parts % g == 0 and g <= -(-features // LINE)]
    seconds = {g: run(nodes, edges, features, parts, ghosts_of, memory, network, g)[0] for g in fit}
    best = min(fit, key=lambda g: seconds[g])
    return best if 1.1 * seconds[best] <= seconds[1] else 1


def table(memory: float, network: float) -> None:
    nodes, features = 1e8, 64
    print("| machines | edges | random order: s, GB | in column groups: number, s, GB | by communities: s, GB |")
    print("|---|---|---|---|---|")
    for edges in (1e9, 1e10):
        for parts in (1, 4, 16, 64):
            rates = memory, network
            groups = best_groups(nodes, edges, features, parts, random_ghosts, *rates)
            cells = []
            for ghosts, number in ((random_ghosts, 1), (random_ghosts, groups), (community_ghosts, 1)):
                seconds, held = run(nodes, edges, features, parts, ghosts, *rates, number)
                cells.append(f"{seconds:.0f}, {held / 1e9:.1f}")
            grouped = f"{groups}, {cells[1]}" if groups > 1 else "1"
            print(f"| {parts} | {edges:.0e} | {cells[0]} | {grouped} | {cells[2]} |")


def check(parsimony: str, graph: str, clusters: str) -> bool:
    environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    good = True
    print("| processes | ghosts / N | random order would have | bytes counted | model | CPU s |\n|---|---|---|---|---|---|")
    for processes in (2, 3, 4):
        command = ["mpirun", "--oversubscribe", "-n", str(processes), parsimony, "cluster", graph, "--clusters", clusters]
        command += ["--method", "compressive", "--components", "whole", "--column-groups", "1", "--threads", "1", "--json"]
        before = os.times()
        report = json.loads(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)
        after = os.times()
        cpu = after.children_user - before.children_user
        figures, options = report["figures"], report["options"]
        counted = figures["bytes_received"]
        model = bytes_received(figures["ghosts"], options["features"], options["order"])
        nodes, edges = report["graph"]["nodes"], report["graph"]["edges"]
        share, guess = figures["ghosts"] / nodes, random_ghosts(nodes, edges, processes) / nodes
        print(f"| {processes} | {share:.2f} | {guess:.2f} | {counted} | {model} | {cpu:.1f} |")
        good = good and counted == model
    print("the bytes are those of the model" if good else "the bytes DIFFER from the model")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", nargs=3, metavar=("PARSIMONY", "GRAPH", "CLUSTERS"))
    parser.add_argument("--memory", type=float, default=100e9, help="bytes/s of the memory of one machine")
    parser.add_argument("--network", type=float, default=12.5e9, help="bytes/s of the network of one machine")
    arguments = parser.parse_args()
    if arguments.check:
        return not check(*arguments.check)
    table(arguments.memory, arguments.network)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
