"""The end of the interpreter, and forks, while threads are in calls."""

import os
import time

import pytest
from long_calls import python


@pytest.mark.parametrize("work", ["pm.cluster(x, 20)", "layer(x)", "tensor.decode()"])
def test_the_interpreter_may_end_while_a_daemon_thread_is_in_a_call(work):
    process = python(f"""
        import threading, time
        import numpy as np
        import parsimony_ml as pm
        x = np.random.default_rng(0).normal(size=(6000, 64)).astype(np.float32)
        tensor = pm.quant.quantize(x, "int8")
        layer = pm.quant.PackedLinear(tensor)
        begun = threading.Event()
        def run():
            while True:
                begun.set()
                {work}
        threading.Thread(target=run, daemon=True).start()
        begun.wait()
        time.sleep(0.2)
    """)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")


# An object that keeps the interpreter from its end for seconds, after it has told daemon threads to end.
SLOW_END = """
class Slow:
    def __del__(self, sleep=time.sleep, read=globals().get("read")):
        {then}
        sleep(3)
sys.modules["slow"] = Slow()
"""

# Prints the seconds that the package takes of the end: its handler runs between these two. To stand before its import.
TIMED_END = """
import atexit, sys, threading, time
begins = []
atexit.register(lambda: print(time.monotonic() - begins[0]))
import parsimony_ml as pm
atexit.register(lambda: begins.append(time.monotonic()))
import numpy as np
"""


def test_the_interpreter_may_end_while_a_callback_of_a_daemon_thread_sleeps():
    process = python(
        """
import sys, threading, time
import numpy as np
import parsimony_ml as pm
x = np.random.default_rng(0).normal(size=(6000, 64)).astype(np.float32)
begun = threading.Event()
def progress(*step):
    begun.set()
    time.sleep(4)
def run():
    pm.learn_operator(x, max_iterations=10_000, progress=progress)
threading.Thread(target=run, daemon=True).start()
begun.wait()
"""
        + SLOW_END.format(then="")
        + "raise SystemExit(3)"
    )
    begin = time.monotonic()
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 3
    assert time.monotonic() - begin > 3  # the end was as slow as planned


@pytest.mark.parametrize("opened", [False, True])
def test_the_interpreter_may_end_during_a_call_that_nothing_stops(tmp_path, opened):
    """A pipe lets its writer wait for a reader. There is none, or one that comes while the interpreter ends."""
    pipe = tmp_path / "page.html"
    os.mkfifo(pipe)
    process = python(
        f"""
import os, sys, threading, time
import numpy as np
import parsimony_ml as pm
def read(path, sleep, os=os):
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a busy machine may not have opened its other end yet
    for _ in range(20):
        sleep(0.1)
        try:
            os.read(file, 1 << 20)
        except BlockingIOError:
            pass
found = pm.cluster(np.random.default_rng(0).normal(size=(300, 4)), 3)
threading.Thread(target=found.report.save, args=({str(pipe)!r},), daemon=True).start()
time.sleep(1)
print("end", end="")
"""
        + (SLOW_END.format(then=f"read({str(pipe)!r}, sleep)") if opened else "")
        + "sys.exit(3)"
    )
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (3, "end", "")


def test_the_end_of_the_interpreter_stops_a_long_product():
    process = python(
        TIMED_END
        + """
weight = np.random.default_rng(0).normal(size=(2048, 2048)).astype(np.float32)
layer = pm.quant.PackedLinear(pm.quant.quantize(weight, "int8"))
x = np.ones((60_000, 2048), np.float32)
threading.Thread(target=layer, args=(x,), kwargs={"n_jobs": 1}, daemon=True).start()
time.sleep(0.3)
"""
    )
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert float(out) < 1.5  # less than the end waits for calls that cannot be stopped


def test_daemon_threads_that_call_after_the_end_has_begun_are_not_waited_for():
    """The handler runs after that of the package, which was registered later."""
    process = python("""
        import atexit, threading, time
        def last():
            ending.set()
            time.sleep(0.5)
        atexit.register(last)
        import numpy as np
        import parsimony_ml as pm
        x = np.random.default_rng(0).normal(size=(30_000, 64)).astype(np.float32)
        ending = threading.Event()
        def run():
            ending.wait()
            pm.learn_operator(x, max_iterations=10_000)
        threading.Thread(target=run, daemon=True).start()
    """)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_calls_work_in_handlers_of_the_end():
    process = python("""
        import atexit
        atexit.register(lambda: print(pm.cluster(x, 4).n_clusters))
        import numpy as np
        import parsimony_ml as pm
        x = np.random.default_rng(0).normal(size=(800, 8))
    """)
    assert process.communicate(timeout=60) == ("4\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_does_not_wait_for_calls_of_its_parent():
    process = python(
        TIMED_END
        + """
import os
x = np.random.default_rng(0).normal(size=(6000, 64)).astype(np.float32)
begun = threading.Event()
def run():
    pm.learn_operator(x, max_iterations=10_000, progress=lambda *step: begun.set())
threading.Thread(target=run, daemon=True).start()
begun.wait()
child = os.fork()
if child == 0:
    sys.exit(pm.cluster(x[:800, :8], 4).n_clusters)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
os._exit(status)
"""
    )
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (4, "")
    assert float(out) < 1.5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("end", ["sys.exit(7)", "raise KeyError", "return"])
def test_a_child_that_a_callback_forks_ends(end):
    """The thread with the work of the call is not in the child."""
    process = python(f"""
        import os, sys
        import numpy as np
        import parsimony_ml as pm
        x = np.random.default_rng(0).normal(size=(6000, 64)).astype(np.float32)
        def progress(*step):
            child = os.fork()
            if child == 0:
                {end}
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
            os._exit(0)
        try:
            pm.learn_operator(x, max_iterations=10_000, progress=progress)
        except KeyError:
            sys.exit(8)
        except pm.CancelledError as error:
            assert "the call goes on in its parent" in str(error)
            sys.exit(9)
    """)
    out, err = process.communicate(timeout=60)
    status = {"sys.exit(7)": 7, "raise KeyError": 8, "return": 9}[end]
    assert (process.returncode, out, err) == (0, f"{status}\n", "")
