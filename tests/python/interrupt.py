"""Interrupts a long call at 50 random moments and prints how soon it ended: PYTHONPATH=… python interrupt.py [COUNT].

The promise is .25 s, on a machine that has a core for the interpreter. Not a test: it measures time.
"""

import random
import signal
import subprocess
import sys
import textwrap
import time

from test_running import LONG


def delay(call: str, after: float) -> float:
    """Seconds from the signal to KeyboardInterrupt."""
    code = (
        textwrap.dedent(LONG)
        + f"""
import time
print("ready", flush=True)
try:
    calls["{call}"]()
except KeyboardInterrupt:
    print(time.time(), flush=True)
"""
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        return float(process.communicate()[0]) - sent


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    rng = random.Random(0)
    calls = ["cluster", "points", "denoise", "learn", "choose"]
    delays = []
    for i in range(count):
        call, after = calls[i % len(calls)], rng.uniform(0.02, 3)
        delays.append((delay(call, after), call, after))
    delays.sort()
    print(f"{count} interrupts: median {delays[count // 2][0]:.3f} s, longest {delays[-1][0]:.3f} s ({delays[-1][1]})")


if __name__ == "__main__":
    main()
