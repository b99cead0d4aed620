"""Runs commands, measures them and writes tables: shared by the drivers of the benchmarks and the experiments.

A driver in bench/NAME or experiments/NAME imports it by

    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
    import drive

The module needs Python 3.10 or newer alone; `plots` also needs Matplotlib.
"""

import dataclasses
import json
import math
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("PARSIMONY_DATA") or ROOT.parent / "shared/data")
GRAPHS = DATA / "graphs"
PARSIMONY = ROOT / "build/release/cli/parsimony"
NOT_CONVERGED = 3  # exit code: the result is there, but the method stopped at its limit of iterations

# The 97.5 % quantile of Student's t for a mean of so many values.
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262, 15: 2.145, 20: 2.093}


@dataclasses.dataclass(frozen=True)
class Run:
    """One process that has ended."""

    status: str    # "ok", "> limit", or "exit CODE: last line of its messages"
    output: str    # its standard output; empty unless it is ok
    wall: float    # seconds
    cpu: float     # processor seconds of all its threads: other work on the machine changes them less than `wall`
    memory: float  # peak of the resident memory in MiB

    def report(self):
        return json.loads(self.output)


# A process begins with the peak of the memory of the one that starts it, in the figures of wait4. So a small process starts the
# command and measures it. SIGTERM kills the command and its children.
STARTER = """
import json, os, signal, sys, time
child = 0  # then the signal ends the group of this process
signal.signal(signal.SIGTERM, lambda *_: os.killpg(child, signal.SIGKILL))
begin = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, setpgroup=0, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ])
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - begin
figures = [os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]
os.write(int(sys.argv[1]), json.dumps(figures).encode())
"""


def execute(command, limit=None, threads=None, allowed=(0,)):
    """Runs a command in a process of its own and measures it. A failure is a status, not an exception.

    limit: seconds after which the process and its children are killed. threads: of OpenMP and OpenBLAS, for peers in
    Python. allowed: exit codes that count as "ok".
    """
    words = [str(word) for word in command]
    environment = dict(os.environ)
    if threads is not None:
        environment |= {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as messages, tempfile.TemporaryFile() as figures:
        begin = time.perf_counter()
        starter = subprocess.Popen([sys.executable, "-I", "-S", "-c", STARTER, str(figures.fileno()), *words], stdout=out, stderr=messages,
                                   env=environment, start_new_session=True, pass_fds=[figures.fileno()])
        late = threading.Event()

        def stop():
            late.set()
            starter.terminate()

        timer = threading.Timer(limit or threading.TIMEOUT_MAX, stop)
        timer.daemon = True
        timer.start()
        try:
            starter.wait()
        except BaseException:  # Ctrl-C: the command has a session of its own and does not get the signal
            starter.terminate()
            raise
        finally:
            timer.cancel()
        texts = []
        for file in (out, messages, figures):
            file.seek(0)
            texts.append(file.read().decode())
    text, message, figures = texts
    # Nothing is measured of what could not be started.
    code, wall, cpu, memory = json.loads(figures or f"[{starter.returncode}, {time.perf_counter() - begin}, NaN, NaN]")
    measured = {"wall": wall, "cpu": cpu, "memory": memory}
    if late.is_set():
        return Run("> limit", "", **measured)
    if code not in allowed:
        reason = (message.strip().splitlines() or ["no message"])[-1]
        return Run(f"exit {code}: {reason}", "", **measured)
    return Run("ok", text, **measured)


def measure(*command, allowed=(0,), threads=None):
    """The same for a command that must succeed: ends the program with its message otherwise."""
    done = execute(command, threads=threads, allowed=allowed)
    if done.status != "ok":
        sys.exit(f"failed: {' '.join(map(str, command))}: {done.status}")
    return done


def run(*command, allowed=(0,)):
    """The standard output of a command that must succeed."""
    return measure(*command, allowed=allowed).output


def report(*command, allowed=(0,)):
    """The JSON that a command which must succeed prints."""
    return json.loads(run(*command, allowed=allowed))


def existing(path):
    """The path; ends the program with a message where there is no such file."""
    if not path.exists():
        sys.exit(f"{path} is missing; PARSIMONY_DATA names the folder of the data sets")
    return path


def processor():
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def head(parsimony, threads):
    """The line above a table: version, processor, threads, date."""
    return f"{run(parsimony, '--version').strip()}, {processor()}, {threads} threads, {time.strftime('%Y-%m-%d')}"


def add_flags(parser, threads=True):
    """--parsimony and --threads, which most drivers have."""
    parser.add_argument("--parsimony", type=pathlib.Path, default=PARSIMONY, help="the command (default: that of ./dev build)")
    if threads:
        parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))


def take_avx2():
    """From now on the benchmarks of bench/run, PyTorch and oneDNN compute as on a machine without AVX-512. ONNX Runtime has no
    such switch."""
    os.environ |= {"PARSIMONY_BENCH_TARGET": "avx2", "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


def mean(values, digits=3):
    """Mean ± half of its 95 % interval (Student's t); the mean alone where there is one value."""
    values = list(values)
    middle = statistics.fmean(values)
    if len(values) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ± {half_interval(values):.{digits}f}"


def half_interval(values):
    return STUDENT[len(values)] * statistics.stdev(values) / math.sqrt(len(values))


def cell(value):
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"
    return str(value)


def row(cells):
    return "| " + " | ".join(cell(one) for one in cells) + " |"


def table(names, rows=()):
    """Lines of a Markdown table: rows are dictionaries by the names of the columns; a column that one lacks stays empty."""
    return [row(names), "|" + "---|" * len(names), *(row(one.get(name, "") for name in names) for one in rows)]


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def plots():
    """Matplotlib's pyplot, drawing into files."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot

    return matplotlib.pyplot


def draw_front(path, reference, series, sizes, measure, ticks=None):
    """Draws a measure by size into a file. reference: label and measure of the horizontal line. series: label, marker, whether a
    line joins the points, and the points, each a size and the values of the seeds; bars reach from the least to the largest.
    ticks: those of a logarithmic axis of sizes."""
    figure, axes = plots().subplots(figsize=(6.4, 4.2))
    axes.axhline(reference[1], color="gray", linewidth=1, linestyle="--", label=reference[0])
    for label, marker, joined, points in series:
        points = sorted(points)
        means = [statistics.mean(values) for _, values in points]
        axes.errorbar([size for size, _ in points], means, marker=marker, linestyle="-" if joined else "", capsize=3, label=label,
                      yerr=[[m - min(v) for m, (_, v) in zip(means, points)], [max(v) - m for m, (_, v) in zip(means, points)]])
    axes.set_xlabel(sizes)
    axes.set_ylabel(measure)
    if ticks:
        axes.set_xscale("log")
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
