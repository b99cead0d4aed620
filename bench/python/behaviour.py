"""How parsimony_ml behaves in a long call: Ctrl-C, other threads, memory, and scikit-learn's checks of estimators.

    PYTHONPATH=build/release/python python bench/python/behaviour.py [checks] [threads] [memory] [interrupts] [COUNT]

prints a table for each part named, for all by default. COUNT interrupts (50) come at random moments. The promise of .25 s is for a
machine that has a core for the interpreter.
"""

import contextlib
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/python"))
from long_calls import LONG

CALLS = ["cluster", "points", "denoise", "learn", "choose", "quantize"]


def checks() -> None:
    """Counts of check_estimator: passed and failed, without and with what an estimator declares to fail."""
    from sklearn.cluster import SpectralClustering as TheirSpectral
    from sklearn.decomposition import DictionaryLearning
    from sklearn.utils.estimator_checks import check_estimator

    from parsimony_ml.sklearn import AnalysisOperatorLearning, ImageDenoiser, SpectralClustering

    estimators = {
        "parsimony, SpectralClustering": SpectralClustering(),
        "scikit-learn, SpectralClustering": TheirSpectral(),
        "parsimony, SpectralClustering, precomputed": SpectralClustering(affinity="precomputed"),
        "scikit-learn, SpectralClustering, precomputed": TheirSpectral(affinity="precomputed"),
        "parsimony, AnalysisOperatorLearning": AnalysisOperatorLearning(max_iter=20),
        "scikit-learn, DictionaryLearning": DictionaryLearning(max_iter=20),
        "parsimony, ImageDenoiser": ImageDenoiser(),
    }
    print("| estimator | passed | failed | skipped | the checks that fail |\n|---|---|---|---|---|")
    for name, estimator in estimators.items():
        with warnings.catch_warnings(), open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
            warnings.simplefilter("ignore")
            done = check_estimator(estimator, on_skip=None, on_fail=None)
        of = {status: [check for check in done if check["status"] == status] for status in ("passed", "failed", "skipped")}
        failed = ", ".join(sorted({f"`{check['check_name'].split('(')[0]}`" for check in of["failed"]}))
        print(f"| {name} | {len(of['passed'])} | {len(of['failed'])} | {len(of['skipped'])} | {failed} |", flush=True)


def delay(call: str, after: float) -> float | None:
    """Seconds from the signal to KeyboardInterrupt; None: the call had ended before."""
    code = f"""{LONG}
import signal, time
print("ready", flush=True)
try:
    calls["{call}"]()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("ended")
except KeyboardInterrupt:
    print(time.time(), flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        out = process.communicate()[0].strip()
        return None if out == "ended" else float(out) - sent


def interrupts(count: int) -> None:
    """SIGINT at random moments within three seconds, in turn in each long call."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background of a shell ignore it
    rng = random.Random(0)
    found: dict[str, list[float]] = {call: [] for call in CALLS}
    turn = 0
    while sum(map(len, found.values())) < count:
        call = CALLS[turn % len(CALLS)]
        turn += 1
        seconds = delay(call, rng.uniform(0.02, 3))
        if seconds is not None:
            found[call].append(seconds)
    print("| call | interrupts | median, s | longest, s | above .25 s |\n|---|---|---|---|---|")
    for call, seconds in [*found.items(), ("all", sum(found.values(), []))]:
        above = sum(second > 0.25 for second in seconds)
        print(f"| {call} | {len(seconds)} | {statistics.median(seconds):.3f} | {max(seconds):.3f} | {above} |")


def rate(work) -> tuple[float, float]:
    """Additions a second of a thread of Python that counts while `work` runs, and the seconds of the work."""
    counts, stop = [0], threading.Event()

    def count() -> None:
        number = 0
        while not stop.is_set():
            for _ in range(1000):
                number += 1
            counts[0] = number

    thread = threading.Thread(target=count)
    thread.start()
    begin = time.perf_counter()
    work()
    seconds = time.perf_counter() - begin
    counted = counts[0]
    stop.set()
    thread.join()
    return counted / seconds, seconds


def threads() -> None:
    """The rate of a counting thread during a call of one thread, beside its rate while the main thread sleeps."""
    import numpy as np

    import parsimony_ml as pm

    rng = np.random.default_rng(0)
    points = rng.normal(size=(60_000, 24)).astype(np.float32)
    signals = rng.normal(size=(20_000, 64)).astype(np.float32)
    image = rng.normal(128, 20, (1500, 1500))
    works = {
        "sleep": lambda: time.sleep(3),
        "knn_graph": lambda: pm.knn_graph(points, 30, search="exact", n_jobs=1),
        "learn_operator": lambda: pm.learn_operator(signals, max_iterations=60, n_jobs=1),
        "denoise": lambda: pm.denoise(image, data_range=255, n_jobs=1),
        "numpy's sort, which holds the lock in part": lambda: [np.sort(rng.random(10**7)) for _ in range(3)],
        "a loop of Python": lambda: sum(i * i for i in range(3 * 10**7)),
    }
    print("| main thread | seconds | million additions a second | of the rate beside sleep |\n|---|---|---|---|")
    alone = 0.0
    for name, work in works.items():
        counted, seconds = rate(work)
        alone = alone or counted
        print(f"| {name} | {seconds:.2f} | {counted / 1e6:.1f} | {100 * counted / alone:.0f} % |", flush=True)


def resident() -> float:
    """Resident MiB of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def memory() -> None:
    """Resident memory over 200 calls of each kind, among them refused ones and ones that a callback stops."""
    import numpy as np

    import parsimony_ml as pm

    rng = np.random.default_rng(0)
    points = rng.normal(size=(5000, 8)).astype(np.float32)
    graph, image = pm.knn_graph(points), rng.normal(128, 20, (256, 256))
    weight, signals = rng.normal(size=(512, 512)).astype(np.float32), rng.normal(size=(2000, 16))
    labels = pm.cluster(graph, 5)

    def stopped(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    def interrupted() -> None:
        with contextlib.suppress(KeyboardInterrupt):
            pm.learn_operator(signals, max_iterations=10_000, progress=stopped)

    def refused() -> None:
        with contextlib.suppress(pm.InvalidArgumentError):
            pm.cluster(graph, 10**6)

    works = {
        "cluster": lambda: pm.cluster(graph, 5, method="compressive"),
        "cluster, refused": refused,
        "knn_graph": lambda: pm.knn_graph(points),
        "score": lambda: pm.score(graph, labels.labels),
        "denoise": lambda: pm.denoise(image, data_range=255),
        "learn_operator": lambda: pm.learn_operator(signals, max_iterations=5),
        "learn_operator, stopped by its callback": interrupted,
        "quant.quantize and decode": lambda: pm.quant.quantize(weight, "pq8").decode(),
        "quant.compress, a plan": lambda: pm.quant.compress({"fc.weight": weight}, scheme="int4", dry_run=True),
    }
    print("| 200 calls | MiB after 20 | after 100 | after 200 | added since 20 |\n|---|---|---|---|---|")
    for name, work in works.items():
        marks = {}
        for call in range(1, 201):
            work()
            if call in (20, 100, 200):
                marks[call] = resident()
        print(f"| {name} | {marks[20]:.1f} | {marks[100]:.1f} | {marks[200]:.1f} | {marks[200] - marks[20]:+.1f} |", flush=True)


def main() -> None:
    parts = [word for word in sys.argv[1:] if not word.isdigit()] or ["checks", "threads", "memory", "interrupts"]
    count = next((int(word) for word in sys.argv[1:] if word.isdigit()), 50)
    for part in parts:
        print(f"\n{globals()[part].__doc__}\n")
        globals()[part](*([count] if part == "interrupts" else []))


if __name__ == "__main__":
    main()
