"""Two processes of a thread each against one process with two threads: CPU seconds, bytes and ghosts.

    python3 bench/distributed/two.py build/release/cli/parsimony [--nodes 1000000] [--repeats 3] [--dblp FILE]
        [--output bench/distributed/two.md]

A block model of 16 neighbours a node, whose order is random: each node is a ghost of the other process. Runs take turns,
and the least of each counts. With --dblp (com-dblp.ungraph.txt.gz) also the ghosts of DBLP after `parsimony order`.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

import model
from scaling import processor, run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parsimony")
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--dblp", type=Path)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    lines = [
        f"Made by `bench/distributed/two.py --nodes {arguments.nodes} --repeats {arguments.repeats}` on {os.cpu_count()} cores of",
        f"{processor()}, with a load of {os.getloadavg()[0]:.1f} before.",
        "",
    ]
    with tempfile.TemporaryDirectory(prefix="parsimony-two-") as name:
        graph = Path(name) / "graph.mtx"
        flags = ["--nodes", str(arguments.nodes), "--clusters", "100", "--degree", "16", "--output", str(graph)]
        subprocess.run([arguments.parsimony, "generate", "sbm", *flags], check=True, capture_output=True)
        method = ["--clusters", "100", "--method", "compressive", "--components", "whole"]
        cluster = [arguments.parsimony, "cluster", str(graph), *method, "--json"]
        kinds = {
            "1 × 2 threads": [*cluster, "--threads", "2"],
            "2 × 1 thread": ["mpirun", "--bind-to", "none", "-n", "2", *cluster, "--threads", "1", "--column-groups", "1"],
        }
        best: dict[str, tuple[float, float, dict]] = {}
        for _ in range(arguments.repeats):
            for kind, command in kinds.items():
                now = run(command)
                if kind not in best or now[0] + now[1] < best[kind][0] + best[kind][1]:
                    best[kind] = now
        lines += ["| processes × threads | user s | system s | both |", "|---|---|---|---|"]
        for kind, (user, system, _) in best.items():
            lines.append(f"| {kind} | {user:.1f} | {system:.1f} | {user + system:.1f} |")
        one, two = best.values()
        lines.append(f"| ratio | {two[0] / one[0]:.2f} | | {(two[0] + two[1]) / (one[0] + one[1]):.2f} |")
        figures, features = two[2]["figures"], two[2]["options"]["features"]
        expected = model.bytes_received(figures["ghosts"], features, two[2]["options"]["order"])
        lines.append("")
        lines.append(
            f"{figures['bytes_received']} bytes received, ghosts × columns × 4 = {expected:.0f}; "
            f"{figures['ghosts']} ghosts of {two[2]['graph']['nodes']} nodes."
        )
        stages = [{stage["name"]: stage["seconds"] for stage in done["stages"]} for _, _, done in best.values()]
        lines += ["", "| stage | 1 × 2 threads, wall s | 2 × 1 thread |", "|---|---|---|"]
        for stage in dict.fromkeys([*stages[0], *stages[1]]):
            cells = [f"{of[stage]:.2f}" if stage in of else "" for of in stages]
            lines.append(f"| {stage} | {cells[0]} | {cells[1]} |")
        if arguments.dblp:
            order = [arguments.parsimony, "order", str(arguments.dblp), "--output", str(Path(name) / "ordered.mtx"), "--json"]
            done = json.loads(subprocess.run(order, check=True, capture_output=True).stdout)["figures"]
            shares = ", ".join(f"{p:.0f} parts {g:.3f}" for p, g in zip(done["parts"], done["ghosts_after"]))
            lines += ["", f"Ghosts ÷ N of DBLP by communities: {shares}."]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if arguments.output:
        arguments.output.write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
