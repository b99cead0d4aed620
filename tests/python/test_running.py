"""How calls run: threads, signals, callbacks, messages, processes."""

import logging
import os
import signal
import textwrap
import threading
import time

import numpy as np
import pytest
import scipy.sparse as sp
from long_calls import LONG, python

import parsimony_ml as pm


def heavy():
    """A call that takes seconds."""
    rng = np.random.default_rng(0)
    return pm.learn_operator(rng.normal(size=(30_000, 64)).astype(np.float32), max_iterations=10_000)


@pytest.mark.parametrize(
    ("call", "after"),
    [("cluster", 0.1), ("points", 0.8), ("denoise", 0.6), ("learn", 1.2), ("choose", 0.4), ("quantize", 0.7)],
)
def test_ctrl_c_stops_a_call(call, after):
    process = python(
        LONG
        + textwrap.dedent(f"""
        import sys, time
        print("ready", flush=True)
        try:
            calls["{call}"]()
        except KeyboardInterrupt:
            print(time.time(), flush=True)
        """)
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(after)
    sent = time.time()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, "")
    # The promise is .25 s on an idle machine (bench/python/behaviour.py measures it).
    assert float(out) - sent < 2


def test_ctrl_c_works_in_any_call_of_a_thread():
    """Python hands signals to its main thread; a call in another thread goes on, and the main thread hears them."""
    process = python("""
        import threading, time
        import numpy as np, parsimony_ml as pm
        x = np.random.default_rng(0).normal(size=(2000, 16)).astype(np.float32)
        done = []
        thread = threading.Thread(target=lambda: done.append(pm.learn_operator(x, max_iterations=200)))
        thread.start()
        try:
            print("ready", flush=True)
            time.sleep(30)
        except KeyboardInterrupt:
            thread.join()
            print(len(done))
    """)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=300) == ("1\n", "")


def test_other_threads_run_during_a_call():
    count = 0
    stop = threading.Event()

    def counter():
        nonlocal count
        while not stop.is_set():
            count += 1
            time.sleep(0.001)

    thread = threading.Thread(target=counter)
    thread.start()
    begin = time.monotonic()
    rng = np.random.default_rng(0)
    pm.learn_operator(rng.normal(size=(6000, 64)).astype(np.float32), max_iterations=60)
    seconds = time.monotonic() - begin
    stop.set()
    thread.join()
    assert count > 50 * seconds


def test_progress_comes_in_the_thread_of_the_caller():
    seen = []
    threads = set()

    def progress(stage, done, total):
        seen.append((stage, done, total))
        threads.add(threading.get_ident())

    matrix = sp.random_array((20_000, 20_000), density=1e-3, rng=0, dtype=np.float32)
    pm.cluster((matrix + matrix.T).tocsr(), 8, method="compressive", progress=progress)
    assert threads == {threading.get_ident()}
    assert all(stage and 0 <= done <= total for stage, done, total in seen)
    assert seen  # as many as there are polls


def test_an_exception_in_a_callback_stops_the_run():
    class MyError(Exception):
        pass

    def progress(stage, done, total):
        raise MyError(stage)

    rng = np.random.default_rng(0)
    begin = time.monotonic()
    with pytest.raises(MyError):
        pm.learn_operator(rng.normal(size=(30_000, 64)).astype(np.float32), max_iterations=100_000, progress=progress)
    assert time.monotonic() - begin < 5


def test_a_callback_may_call_the_library():
    found = []
    pm.cluster(
        np.random.default_rng(0).normal(size=(3000, 3)),
        3,
        progress=lambda *step: found.append(pm.agreement([0, 1], [1, 0])),
    )
    assert found
    assert found[0]["adjusted_rand"] == 1


def test_progress_of_tqdm(capsys):
    pm.cluster(np.random.default_rng(0).normal(size=(3000, 3)), 3, progress=True)
    assert "it/s" in capsys.readouterr().err


def test_messages_go_to_the_logger(caplog):
    points = np.zeros((200, 2), dtype=np.float64)
    points[:, 0] = np.arange(200) // 2 * 1e-9 + 1e6
    with caplog.at_level(logging.INFO, logger="parsimony_ml"):
        pm.cluster(np.vstack([points, points + 5]), 2)
    assert caplog.records
    assert all(record.name == "parsimony_ml" for record in caplog.records)
    assert any(record.levelno == logging.WARNING for record in caplog.records)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_can_call_after_its_parent_did():
    process = python("""
        import os, numpy as np, parsimony_ml as pm
        x = np.random.default_rng(0).normal(size=(800, 8))
        here = pm.cluster(x, 4).labels
        child = os.fork()
        if child == 0:
            os._exit(0 if (pm.cluster(x, 4).labels == here).all() else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        assert (pm.cluster(x, 4).labels == here).all()
    """)
    out, err = process.communicate(timeout=300)
    assert out == "0\n", err


def test_multiprocessing_and_joblib():
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    pm.cluster(np.random.default_rng(0).normal(size=(500, 8)), 4)
    for method in ("fork", "spawn"):
        with ProcessPoolExecutor(2, mp_context=get_context(method)) as pool:
            assert list(pool.map(count_clusters, [2, 3, 4])) == [2, 3, 4]


def count_clusters(clusters):
    return pm.cluster(np.random.default_rng(1).normal(size=(300, 4)), clusters).n_clusters


def test_many_threads_of_python_may_call_at_once():
    x = np.random.default_rng(0).normal(size=(1000, 4))
    expected = pm.cluster(x, 3).labels
    found = []
    threads = [threading.Thread(target=lambda: found.append(pm.cluster(x, 3, n_jobs=2).labels)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all((labels == expected).all() for labels in found)


def test_memory_does_not_grow_over_calls():
    x = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    matrix = pm.knn_graph(x)
    for _ in range(10):
        pm.cluster(matrix, 3, method="compressive")
    before = resident()
    for _ in range(50):
        pm.cluster(matrix, 3, method="compressive")
        with pytest.raises(pm.InvalidArgumentError):
            pm.cluster(matrix, 10**6)
    assert resident() - before < 8 << 20


def resident():
    """Resident bytes of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_n_jobs_counts_from_all_cores():
    from parsimony_ml import _core
    from parsimony_ml._call import threads_of

    cores = _core.default_thread_count()
    assert [threads_of(n) for n in (None, 1, 7, -1, -cores - 5)] == [0, 1, 7, cores, 1]
    assert pm.cluster(np.random.default_rng(0).normal(size=(500, 2)), 2, n_jobs=3).report["threads"] == 3
