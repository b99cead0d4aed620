"""Strong and weak scaling over processes of one machine, beside the model's prediction.

    python3 bench/distributed/scaling.py build/release/cli/parsimony [--nodes 400000] [--output bench/distributed/scaling.md]

A row has the CPU seconds (user and system, of all processes) of the steps of the recurrence: the difference of a run
and one with filters of order 1 and a given cut-off. Beside them is the wall time of the stages lambda_k and features.

The model gets two rates, both measured with no exchange between processes: bytes per CPU second of the steps of one
process, alone for the row of one process, and for all others with as many of them beside each other as there are
cores, since processes on several cores share the memory and its caches; and of a copy between processes, as Open MPI
makes it (process_vm_readv), again on all cores. The CPU time is what both predict, whatever the number of processes;
the wall time is the CPU time divided by the cores that are used. So more processes than cores gain nothing.
"""

import argparse
import ctypes
import json
import mmap
import os
import platform
import resource
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import model

ENVIRONMENT = {
    **os.environ,
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}
FEATURES = 64
CORES = os.cpu_count() or 1
PIECE = 1 << 26


def command_of(parsimony: str, graph: Path, processes: int, *flags: str) -> list[str]:
    start = ["mpirun", "--bind-to", "none", "-n", str(processes)] if processes > 1 else []
    # One group of columns in all rows: --column-groups is for several processes.
    groups = ["--column-groups", "1"] if processes > 1 else []
    method = ["--clusters", "50", "--method", "compressive", "--threads", "1", "--components", "whole"]
    # An order of its own would be another graph than that of several processes.
    memory = ["--max-memory", "4GiB"] if processes == 1 else []
    return [*start, parsimony, "cluster", str(graph), *method, *groups, *memory, "--features", str(FEATURES), "--json", *flags]


def run(command: list[str]) -> tuple[float, float, dict]:
    """User and system seconds of all processes, and the report."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT) as job:
        text = job.stdout.read()
        _, status, usage = os.wait4(job.pid, 0)
        job.returncode = os.waitstatus_to_exitcode(status)
    if job.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {job.returncode}")
    return usage.ru_utime, usage.ru_stime, json.loads(text)


def wall(report: dict) -> float:
    return sum(stage["seconds"] for stage in report["stages"] if stage["name"] in ("lambda_k", "features"))


def steps(parsimony: str, graph: Path, processes: int, repeats: int, beside: int = 1) -> tuple[float, float, dict]:
    """The least CPU and wall seconds of the steps, of one of `beside` runs at the same time, and the report."""
    cpu = seconds = float("inf")
    with ThreadPoolExecutor(beside) as pool:
        for _ in range(repeats):
            command = command_of(parsimony, graph, processes)
            runs = list(pool.map(run, [command] * beside))
            report = runs[0][2]
            known = ("--order", "1", "--lambda-k", str(report["figures"]["lambda_k"]))
            short = list(pool.map(run, [command_of(parsimony, graph, processes, *known)] * beside))
            cpu = min(cpu, (sum(r[0] + r[1] for r in runs) - sum(r[0] + r[1] for r in short)) / beside)
            seconds = min(seconds, wall(report))
    return cpu, seconds, report


def moved(nodes: int, edges: int) -> float:
    """Bytes that the steps of all processes move in memory: the run less that with filters of order 1."""
    return model.bytes_moved(nodes, edges, FEATURES) - (
        model.bytes_moved(nodes, edges, FEATURES, 1) - model.bytes_moved(nodes, edges, FEATURES, 0)
    )


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def copies_between(index: int) -> float:
    """Bytes per CPU second of copies from the memory of another process."""
    library = ctypes.CDLL(None, use_errno=True)
    source, target = mmap.mmap(-1, 4 * PIECE), mmap.mmap(-1, 4 * PIECE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(source))
    here = ctypes.addressof(ctypes.c_char.from_buffer(target))
    ready, wait = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(wait[1])
        source[:] = bytes([index + 1]) * len(source)
        os.write(ready[1], b"r")
        os.read(wait[0], 1)  # until the other end closes
        os._exit(0)
    os.read(ready[0], 1)
    target[:] = bytes(len(target))
    best = 0.0
    for _ in range(5):
        begin = time.process_time()
        for at in range(0, len(target), PIECE):
            local, remote = Piece(here + at, PIECE), Piece(address + at, PIECE)
            got = library.process_vm_readv(child, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
            if got != PIECE:
                raise SystemExit("process_vm_readv is not permitted here")
        best = max(best, len(target) / (time.process_time() - begin))
    os.close(wait[1])
    os.waitpid(child, 0)
    return best


def copy_rate() -> float:
    """The mean of copies on all cores at once."""
    ends = []
    for index in range(CORES):
        get, put = os.pipe()
        if os.fork() == 0:
            os.write(put, f"{copies_between(index)}\n".encode())
            os._exit(0)
        ends.append(get)
    rates = [float(os.read(end, 100)) for end in ends]
    for _ in ends:
        os.wait()
    return sum(rates) / len(rates)


def row(graph: str, processes: int, measured: tuple[float, float, dict], memory: float, copy: float) -> str:
    cpu, seconds, report = measured
    figures, nodes, edges = report["figures"], report["graph"]["nodes"], report["graph"]["edges"]
    ghosts, counted = figures.get("ghosts", 0), figures.get("bytes_received", 0)
    model_bytes = model.bytes_received(ghosts, FEATURES)
    if counted != model_bytes:
        raise SystemExit(f"{graph}, {processes} processes: {counted} bytes counted, {model_bytes} by the model")
    predicted = moved(nodes, edges) / memory + counted / copy
    of_wall = predicted / min(processes, CORES)
    cells = [graph, str(processes), f"{ghosts / nodes:.2f}", f"{counted / 1e9:.2f}"]
    cells += [f"{cpu:.1f}", f"{predicted:.1f}", f"{cpu / predicted:.2f}"]
    cells += [f"{seconds:.1f}", f"{of_wall:.1f}", f"{seconds / of_wall:.2f}"]
    return f"| {' | '.join(cells)} |"


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
        f"Made by `bench/distributed/scaling.py --nodes {arguments.nodes} --repeats {arguments.repeats}` on {CORES} cores of",
        f"{processor()}, with a load of {os.getloadavg()[0]:.1f} before. Processes of a thread each.",
        "",
        "| graph | processes | ghosts / N | GB received = model | CPU s | predicted | ratio | wall s | predicted | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    copy = copy_rate()
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
        for kind, graphs in [
            ("strong, random order", [random_order] * 4),
            ("strong, by communities", [ordered] * 4),
            ("weak, random order", [generate(arguments.nodes // 4 * p) for p in range(1, 5)]),
        ]:
            crowded: dict[Path, float] = {}
            for processes, graph in enumerate(graphs, 1):
                measured = steps(arguments.parsimony, graph, processes, arguments.repeats)
                report = measured[2]
                nodes, edges = report["graph"]["nodes"], report["graph"]["edges"]
                if processes > 1 and graph not in crowded:
                    cpu = steps(arguments.parsimony, graph, 1, arguments.repeats, beside=CORES)[0]
                    crowded[graph] = moved(nodes, edges) / cpu
                memory = moved(nodes, edges) / measured[0] if processes == 1 else crowded[graph]
                lines.append(row(f"{kind}, {nodes // 1000}k nodes", processes, measured, memory, copy))
                print(lines[-1], flush=True)
        lines += ["", f"A copy between processes moves {copy / 1e9:.1f} GB per CPU second, on all cores at once."]
        print(lines[-1])
    text = "\n".join(lines) + "\n"
    if arguments.output:
        arguments.output.write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
