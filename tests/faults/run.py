#!/usr/bin/env python3
"""Runs every verb of the command under faults and counts the promises that break; ./dev test faults calls it.

    tests/faults/run.py PARSIMONY LIBRARIES [SCENARIO…] [--verb NAME]… [--list]

LIBRARIES is the folder of the preloaded libraries. A scenario is a module of this folder with a function `tries(suite)`
that yields objects of tries.Try; where it says ALONE = True, one runs at a time. Exit status: 0 no promise was broken, 1 otherwise.
"""

import argparse
import collections
import concurrent.futures
import importlib
import os
import pathlib
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field

from tries import Suite
from verbs import make_inputs

SCENARIOS = ("calls", "limits", "outputs", "interrupts", "memory")


@dataclass
class Count:
    tries: int = 0
    failures: int = 0
    seconds: list = field(default_factory=list)  # to the end of each try


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command")
    parser.add_argument("libraries")
    parser.add_argument("scenarios", nargs="*", choices=(*SCENARIOS, []))
    parser.add_argument("--verb", action="append", help="only tries of this verb")
    parser.add_argument("--list", action="store_true", help="name every try as it ends")
    options = parser.parse_args()
    begin = time.monotonic()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the background of a script ignores it, and so would the runs
    counts = collections.defaultdict(Count)  # (scenario, verb) -> Count
    with tempfile.TemporaryDirectory(prefix="parsimony-faults-") as name, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        suite = Suite(options.command, options.libraries, name)
        suite.inputs.mkdir()
        make_inputs(suite.command, suite.inputs)
        for scenario in options.scenarios or SCENARIOS:
            module = importlib.import_module(scenario)
            attempts = [attempt for attempt in module.tries(suite) if not options.verb or attempt.verb.name in options.verb]
            for attempt in attempts:
                suite.right_outputs(attempt.verb)
            alone = getattr(module, "ALONE", False)
            results = map(suite.run, attempts) if alone else pool.map(suite.run, attempts)
            for attempt, (faults, seconds) in zip(attempts, results):
                count = counts[scenario, attempt.verb.name]
                count.tries += 1
                count.failures += bool(faults)
                count.seconds.append(seconds)
                if faults:
                    print(f"failed: {scenario}: {attempt.verb.name}: {attempt.label}: {'; '.join(faults)}", flush=True)
                elif options.list:
                    print(f"passed: {scenario}: {attempt.verb.name}: {attempt.label}: {seconds:.3f} s", flush=True)
    for (scenario, verb), count in counts.items():
        print(f"{scenario:12} {verb:20} {count.tries:6} tries {count.failures:6} failures, "
              f"end after {statistics.median(count.seconds):.2f} s, at most {max(count.seconds):.2f} s")
    tries = sum(count.tries for count in counts.values())
    failures = sum(count.failures for count in counts.values())
    print(f"faults: {tries} tries, {failures} failures, {time.monotonic() - begin:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    sys.exit(main())
