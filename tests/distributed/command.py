"""parsimony cluster under mpirun: the label files of one process, one report, and no file after a failure.

command.py PARSIMONY [--short]: makes small graphs in a folder of its own and removes it. --short is for builds
that are slow: a few graphs on three processes, refusals and bad files.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PARSIMONY = Path(sys.argv[1]).resolve()
SHORT = "--short" in sys.argv
failures = 0


def check(good: bool, what: str) -> None:
    global failures
    if not good:
        failures += 1
        print("failed:", what, flush=True)


def run(processes: int, *arguments: str, **options) -> subprocess.CompletedProcess:
    start = ["mpirun", "-n", str(processes)] if processes > 1 else []
    command = [*start, str(PARSIMONY), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "no file"


def messages(result: subprocess.CompletedProcess) -> list[str]:
    return [line for line in result.stderr.splitlines() if line.startswith("parsimony")]


def write_mtx(path: Path, nodes: int, edges: set[tuple[int, int]], weighted: bool = False) -> None:
    field = "real" if weighted else "pattern"
    lines = [f"%%MatrixMarket matrix coordinate {field} symmetric", f"{nodes} {nodes} {len(edges)}"]
    for a, b in sorted(edges):
        weight = f" {0.5 + (7 * a + 13 * b) % 100 / 40}" if weighted else ""
        lines.append(f"{b + 1} {a + 1}{weight}")
    path.write_text("\n".join(lines) + "\n")


def blocks(sizes: list[int], degree: int, between: float, first: int = 0) -> set[tuple[int, int]]:
    """Edges of a block model; `between` is the share of edges that leave their block."""
    draw = random.Random(sum(sizes))
    begins = [first + sum(sizes[:i]) for i in range(len(sizes))]
    out = set()
    for begin, size in zip(begins, sizes):
        for a in range(begin, begin + size):
            for _ in range(degree // 2):
                leaves = draw.random() < between
                b = draw.randrange(first, first + sum(sizes)) if leaves else begin + draw.randrange(size)
                if a != b:
                    out.add((min(a, b), max(a, b)))
    return out


def check_labels(folder: Path, name: str, *flags: str) -> None:
    one = folder / "one.npy"
    alone = run(1, "cluster", name, *flags, "--output", str(one), "--json", cwd=folder)
    check(alone.returncode == 0, f"{name} {flags} in one process: {alone.stderr}")
    expected = json.loads(alone.stdout)
    for processes in (3,) if SHORT else (2, 3, 4):
        many = folder / f"many{processes}.npy"
        result = run(processes, "cluster", name, *flags, "--output", str(many), "--json", cwd=folder)
        what = f"{name} {' '.join(flags)} in {processes} processes"
        check(result.returncode == 0, f"{what}: {result.stderr}")
        check(digest(many) == digest(one), f"{what}: labels differ")
        report = json.loads(result.stdout)  # one report
        check(report["graph"] == expected["graph"], f"{what}: the graph differs")
        check(report["scores"]["sizes"] == expected["scores"]["sizes"], f"{what}: the sizes differ")
        check(abs(report["scores"]["modularity"] - expected["scores"]["modularity"]) < 1e-9, f"{what}: modularity")
        many.unlink(missing_ok=True)


def check_text_labels(folder: Path) -> None:
    flags = ["--clusters", "6", "--method", "compressive"]
    for name in ("ids.txt", "words.csv", "blocks.graph"):
        one, many = run(1, "cluster", name, *flags, cwd=folder), run(3, "cluster", name, *flags, cwd=folder)
        check(one.stdout == many.stdout and one.stdout.count("\n") > 100, f"{name}: labels with ids on stdout differ")


def check_column_groups(folder: Path) -> None:
    """The labels of one process for each number of groups, and a report that names it."""
    flags = ["cluster", "blocks.mtx", "--clusters", "10", "--features", "64", "--json"]
    for method in ("compressive",) if SHORT else ("compressive", "filtered"):
        one = folder / "one.npy"
        check(run(1, *flags, "--method", method, "--output", str(one), cwd=folder).returncode == 0, "one process")
        for processes, groups in [(2, "2")] if SHORT else [(2, "1"), (2, "2"), (3, "3"), (4, "2"), (4, "4"), (4, "auto")]:
            many = folder / "many.npy"
            asked = ["--method", method, "--column-groups", groups, "--output", str(many)]
            result = run(processes, *flags, *asked, cwd=folder)
            what = f"{method}, {groups} column groups of {processes} processes"
            check(result.returncode == 0, f"{what}: {result.stderr}")
            check(digest(many) == digest(one), f"{what}: labels differ")
            figures = json.loads(result.stdout)["figures"]
            check(groups in (str(figures["column_groups"]), "auto"), f"{what}: the report says {figures['column_groups']}")
            columns = 50 * (16 + 16 * -(-4 // figures["column_groups"]))
            if groups != "3":  # groups of unequal size
                ghosts = figures.get("ghosts_in_groups", figures["ghosts"])
                check(figures["bytes_received"] == 4 * ghosts * columns, f"{what}: {figures['bytes_received']} bytes")
            many.unlink(missing_ok=True)


def check_refusals(folder: Path) -> None:
    cases = [
        (2, ["--clusters", "5"], "auto needs the graph on one machine; use --method compressive or filtered, or one process"),
        (2, ["--clusters", "5", "--method", "exact"], "exact needs the graph on one machine"),
        (1, ["--clusters", "auto", "--method", "compressive"], "needs the graph on one machine"),
        (2, ["--clusters", "0", "--method", "compressive"], "--clusters"),
        (2, ["--clusters", "99999", "--method", "compressive"], "99999 is more than the"),
        (2, ["--clusters", "5", "--method", "compressive", "--column-groups", "2"], "2 groups of equal size cannot be made of 3 processes"),
        (2, ["--clusters", "5", "--method", "compressive", "--features", "16", "--column-groups", "3"], "--column-groups: 3 groups do not fit 16 features"),
    ]
    for code, flags, text in cases:
        result = run(3, "cluster", "blocks.mtx", *flags, "--output", "refused.npy", cwd=folder)
        said = messages(result)
        check(result.returncode == code, f"{flags}: exit {result.returncode}, not {code}")
        check(len(said) == 1 and text in said[0], f"{flags}: {said}")
        check(not (folder / "refused.npy").exists(), f"{flags}: a file was written")


def check_bad_files(folder: Path) -> None:
    whole = (folder / "blocks.mtx").read_text()
    (folder / "truncated.mtx").write_text(whole[: whole.index("\n", 2 * len(whole) // 3) + 1])
    (folder / "bad.mtx").write_text(whole[: len(whole) // 2].rsplit("\n", 1)[0] + "\n7 seven\n")
    for name, text in [("truncated.mtx", "may be truncated"), ("bad.mtx", "bad.mtx:"), ("none.mtx", "none.mtx")]:
        begin = time.monotonic()
        result = run(4, "cluster", name, "--clusters", "5", "--method", "compressive", "--output", "bad.npy", cwd=folder)
        said = messages(result)
        check(result.returncode == 1, f"{name}: exit {result.returncode}")
        check(len(said) == 1 and text in said[0], f"{name}: {said}")
        check(time.monotonic() - begin < 30, f"{name}: took {time.monotonic() - begin:.0f} s")
    check(not (folder / "bad.npy").exists(), "a file of labels after bad input")


def check_warnings(folder: Path) -> None:
    """Weights that look like times, in the whole file only: one warning, from any number of processes."""
    for name, warns in [("ascending.txt", True), ("twice.txt", False), ("pairs.txt", False)]:
        edges = [(a, (a * 7 + 1) % 400) for a in range(400)]
        weights = {"ascending.txt": range(1, 401), "twice.txt": [*range(1, 201)] * 2, "pairs.txt": [1, 1, 2, 2] * 100}[name]
        (folder / name).write_text("".join(f"{a} {b} {w}\n" for (a, b), w in zip(edges, weights)))
        for processes in (1, 2, 3):
            result = run(processes, "cluster", name, "--clusters", "5", "--method", "compressive", cwd=folder)
            check(result.returncode in (0, 3), f"{name}, {processes} processes: exit {result.returncode}")
            said = [line for line in result.stderr.splitlines() if "look like times" in line]
            check(len(said) == warns, f"{name}, {processes} processes: {result.stderr}")


def check_without_memory(folder: Path) -> None:
    """Process 1 of 3 gets less and less memory: all end within seconds, with one message or the whole file."""
    flags = ["cluster", "large.mtx", "--clusters", "20", "--method", "compressive", "--threads", "1", "-q"]
    whole = run(3, *flags, "--output", "whole.npy", cwd=folder)
    check(whole.returncode == 0, f"large.mtx: {whole.stderr}")
    failed = said_why = 0
    for mebibytes in range(250, 700, 50):
        (folder / "limited.npy").unlink(missing_ok=True)
        limited = f'[ "$OMPI_COMM_WORLD_RANK" != 1 ] || ulimit -v {1024 * mebibytes}; exec "$0" "$@"'
        command = ["mpirun", "-n", "3", "sh", "-c", limited, str(PARSIMONY), *flags, "--output", "limited.npy"]
        begin = time.monotonic()
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)
        what = f"process 1 with {mebibytes} MiB"
        check(time.monotonic() - begin < 60, f"{what}: took {time.monotonic() - begin:.0f} s")
        check(len(messages(result)) <= 1, f"{what}: {messages(result)}")
        if result.returncode == 0:
            check(digest(folder / "limited.npy") == digest(folder / "whole.npy"), f"{what}: other labels")
        else:
            failed += 1
            reasons = ("needs more memory than there is", "of the address space (ulimit -v)")
            said_why += any(reason in line for line in messages(result) for reason in reasons)
            check(not (folder / "limited.npy").exists(), f"{what}: a file in spite of exit {result.returncode}")
        check(not children("limited.npy"), f"{what}: a process goes on")
    # The least limits end MPI itself, which has messages of its own.
    check(failed >= 2 and said_why >= 1, f"{failed} runs failed, {said_why} of them for want of memory")


def children(name: str) -> list[int]:
    """Processes of parsimony-mpi below this one."""
    out = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "comm").read_text().strip() == "parsimony-mpi":
                if name in (entry / "cmdline").read_text():
                    out.append(int(entry.name))
        except OSError:
            pass
    return out


def check_killed(folder: Path) -> None:
    """A killed process ends the others within seconds, at ten moments; no file of labels, whole or in part."""
    flags = ["cluster", "blocks.mtx", "--clusters", "30", "--method", "compressive", "--features", "160", "-q"]
    begin = time.monotonic()
    run(2, *flags, "--output", "whole.npy", cwd=folder)
    seconds = time.monotonic() - begin
    killed = 0
    for moment in range(10):
        name = f"killed{moment}.npy"
        job = subprocess.Popen(
            ["mpirun", "-n", "2", str(PARSIMONY), *flags, "--output", name],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + seconds * (0.3 + 0.07 * moment)
        while time.monotonic() < until and job.poll() is None:
            time.sleep(0.01)
        ranks = children(name)
        if job.poll() is None and ranks:
            os.kill(ranks[moment % len(ranks)], signal.SIGKILL)
            killed += 1
            begin = time.monotonic()
            code = job.wait(timeout=60)
            check(code != 0 or (folder / name).exists(), f"killed at moment {moment}: exit 0 without a file")
            check(time.monotonic() - begin < 15, f"killed at moment {moment}: took {time.monotonic() - begin:.0f} s")
        job.wait(timeout=60)
        time.sleep(0.3)
        check(not children(name), f"killed at moment {moment}: a process goes on")
        if (folder / name).exists():
            check(digest(folder / name) == digest(folder / "whole.npy"), f"killed at moment {moment}: half a file")
    check(killed >= 5, f"only {killed} of 10 processes were killed in time")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="parsimony-mpi-") as name:
        folder = Path(name)
        write_mtx(folder / "blocks.mtx", 6000, blocks([600] * 10, 14, 0.2))
        write_mtx(folder / "weighted.mtx", 3000, blocks([500] * 6, 12, 0.2), weighted=True)
        apart = blocks([700, 700], 10, 0.1) | blocks([500], 8, 0, 1450) | blocks([90], 8, 0, 2000)
        write_mtx(folder / "apart.mtx", 2200, apart)  # three components and nodes without edges
        write_mtx(folder / "tiny.mtx", 5, {(0, 1), (1, 2), (0, 2), (3, 4)})
        ids = "".join(f"{a * 1000003 - 9000000}\t{b * 1000003 - 9000000}\n" for a, b in sorted(apart))
        (folder / "ids.txt").write_text("# ids that are not consecutive\n" + ids)
        words = "".join(f'"n{a}, {a % 7}","n{b}, {b % 7}"\n' for a, b in sorted(apart))
        (folder / "words.csv").write_text("source,target\n" + words)
        convert = run(1, "convert", "blocks.mtx", "blocks.graph", cwd=folder)
        check(convert.returncode == 0, f"blocks.graph: {convert.stderr}")
        compressive, filtered = ["--method", "compressive"], ["--method", "filtered"]
        check_labels(folder, "blocks.mtx", "--clusters", "10", *compressive)
        check_labels(folder, "weighted.mtx", "--clusters", "6", "--regularization", "2", *filtered)
        check_labels(folder, "apart.mtx", "--clusters", "7", *compressive)
        check_labels(folder, "ids.txt", "--clusters", "6", *compressive)
        check_labels(folder, "words.csv", "--clusters", "6", *compressive)
        check_labels(folder, "blocks.graph", "--clusters", "10", *compressive)
        check_labels(folder, "tiny.mtx", "--clusters", "2", *compressive)
        check_column_groups(folder)
        check_warnings(folder)
        check_refusals(folder)
        check_bad_files(folder)
        if not SHORT:
            check_labels(folder, "weighted.mtx", "--clusters", "6", "--sampling", "energy", *compressive)
            check_labels(folder, "weighted.mtx", "--clusters", "6", "--regularization", "2", *compressive)
            check_labels(folder, "apart.mtx", "--clusters", "3", *compressive)
            check_labels(folder, "apart.mtx", "--clusters", "7", "--components", "whole", *compressive)
            check_labels(folder, "blocks.mtx", "--clusters", "10", *filtered)
            check_labels(folder, "apart.mtx", "--clusters", "7", *filtered)
            check_labels(folder, "apart.mtx", "--clusters", "7", "--components", "whole", *filtered)
            check_labels(folder, "tiny.mtx", "--clusters", "3", *filtered)
            for clusters in ("1", "4", "5"):
                check_labels(folder, "tiny.mtx", "--clusters", clusters, *compressive)
            check_text_labels(folder)
            check_killed(folder)
            make = ["generate", "sbm", "--nodes", "100k", "--clusters", "20", "--degree", "16", "--output", "large.mtx"]
            check(run(1, *make, cwd=folder).returncode == 0, "large.mtx cannot be made")
            check_without_memory(folder)
        left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
        check(len(left) <= 1, f"temporary files are left: {left}")
    print("failed" if failures else "passed")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
