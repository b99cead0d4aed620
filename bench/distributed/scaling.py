"""Strong and weak scaling over processes of one machine, beside the model's prediction.

    python3 bench/distributed/scaling.py build/release/cli/parsimony [--nodes 400000] [--output bench/distributed/scaling.md]

Processes of one machine share its memory, and more of them than cores share the cores, so that this measures
the work that several processes do, in CPU seconds (user and system), and not the time that they save. Waiting
processes give their core away (Open MPI's mpi_yield_when_idle).

A row is the difference of a run and one with filters of order 1 and a given cut-off: the steps of the
recurrence alone. The model gets two rates: bytes per CPU second of the steps of one process, and of a copy in
memory, by which a message travels. The rows of one process are hence equal by construction.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import model

ENVIRONMENT = {
    **os.environ,
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
}
FEATURES = 64


def run(parsimony: str, graph: Path, processes: int, *flags: str) -> tuple[float, dict]:
    """CPU seconds of all processes, and the report."""
    command = ["mpirun", "-n", str(processes)] if processes > 1 else []
    command += [parsimony, "cluster", str(graph), "--clusters", "50", "--method", "compressive", "--threads", "1"]
    command += ["--components", "whole", "--features", str(FEATURES), "--json", *flags]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, json.loads(done.stdout)


def steps(parsimony: str, graph: Path, processes: int, repeats: int) -> tuple[float, dict]:
    """The least CPU seconds of the steps in some pairs of runs, and the report of the whole run."""
    best = float("inf")
    for _ in range(repeats):
        whole, report = run(parsimony, graph, processes)
        short, _ = run(parsimony, graph, processes, "--order", "1", "--lambda-k", str(report["figures"]["lambda_k"]))
        best = min(best, whole - short)
    return best, report


def moved(nodes: int, edges: int) -> float:
    """Bytes that the steps of all processes move in memory, as in model.run()."""
    filters = (model.ORDER - 1) * sum(model.panels(FEATURES))
    columns = model.DENSITY_ORDER * model.DENSITY_SIGNALS + filters
    passes = model.DENSITY_ORDER + (model.ORDER - 1) * len(model.panels(FEATURES))
    return 2 * edges * (4 * columns + 4 * passes) + nodes * columns * 4 * 4


def copy_rate() -> float:
    """Bytes per CPU second of copies that leave the caches."""
    source, target = bytearray(1 << 28), bytearray(1 << 28)
    best = 0.0
    for _ in range(5):
        begin = time.process_time()
        memoryview(target)[:] = source
        best = max(best, len(source) / (time.process_time() - begin))
    return best


def row(graph: str, processes: int, seconds: float, report: dict, memory: float, network: float) -> str:
    figures, nodes, edges = report["figures"], report["graph"]["nodes"], report["graph"]["edges"]
    ghosts, counted = figures.get("ghosts", 0), figures.get("bytes_received", 0)
    model_bytes = model.bytes_received(ghosts, FEATURES)
    if counted != model_bytes:
        raise SystemExit(f"{graph}, {processes} processes: {counted} bytes counted, {model_bytes} by the model")
    predicted = moved(nodes, edges) / memory + counted / network
    share = f"{ghosts / nodes:.2f}"
    return f"| {graph} | {processes} | {share} | {counted / 1e9:.2f} | {seconds:.1f} | {predicted:.1f} | {seconds / predicted:.2f} |"


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parsimony")
    parser.add_argument("--nodes", type=int, default=400_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    lines = [
        f"Machine: {os.cpu_count()} cores, {processor()}; 3 and 4 processes share its cores.",
        "",
        "| graph | processes | ghosts / N | GB received = model | CPU s of the steps | predicted | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory(prefix="parsimony-scaling-") as name:
        folder = Path(name)

        def generate(nodes: int) -> Path:
            path = folder / f"{nodes}.mtx"
            flags = ["--nodes", str(nodes), "--clusters", "50", "--degree", "16", "--epsilon-ratio", "0.1"]
            command = [arguments.parsimony, "generate", "sbm", *flags, "--output", str(path)]
            subprocess.run(command, check=True, capture_output=True)
            return path

        random_order = generate(arguments.nodes)
        ordered = folder / "ordered.mtx"
        order = [arguments.parsimony, "order", str(random_order), "--output", str(ordered)]
        subprocess.run(order, check=True, capture_output=True)
        network = copy_rate()
        for kind, graphs in [
            ("strong, random order", [random_order] * 4),
            ("strong, by communities", [ordered] * 4),
            ("weak, random order", [generate(arguments.nodes // 4 * p) for p in range(1, 5)]),
        ]:
            memory = 0.0
            for processes, graph in enumerate(graphs, 1):
                seconds, report = steps(arguments.parsimony, graph, processes, arguments.repeats)
                nodes, edges = report["graph"]["nodes"], report["graph"]["edges"]
                memory = memory or moved(nodes, edges) / seconds
                lines.append(row(f"{kind}, {nodes // 1000}k nodes", processes, seconds, report, memory, network))
                print(lines[-1], flush=True)
        lines += ["", f"A copy moves {network / 1e9:.1f} GB per CPU second."]
    text = "\n".join(lines) + "\n"
    if arguments.output:
        arguments.output.write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
