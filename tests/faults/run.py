#!/usr/bin/env python3
"""Runs every verb of the command under faults and counts the promises that break; ./dev test faults calls it.

    tests/faults/run.py PARSIMONY LIBRARIES [SCENARIO…] [--verb NAME]… [--list]

LIBRARIES is the folder of the preloaded libraries. A scenario is a module of this folder with a function `tries(suite)`
that yields objects of tries.Try. Exit status: 0 no promise was broken, 1 otherwise.
"""

import argparse
import collections
import concurrent.futures
import importlib
import os
import pathlib
import sys
import tempfile
import time

from tries import Suite
from verbs import make_inputs

SCENARIOS = ("calls", "limits", "outputs")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command")
    parser.add_argument("libraries")
    parser.add_argument("scenarios", nargs="*", choices=(*SCENARIOS, []))
    parser.add_argument("--verb", action="append", help="only tries of this verb")
    parser.add_argument("--list", action="store_true", help="name every try as it ends")
    options = parser.parse_args()
    begin = time.monotonic()
    counts = collections.defaultdict(lambda: [0, 0])  # (scenario, verb) -> tries, failures
    with tempfile.TemporaryDirectory(prefix="parsimony-faults-") as name, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        suite = Suite(options.command, options.libraries, name)
        suite.inputs.mkdir()
        make_inputs(suite.command, suite.inputs)
        for scenario in options.scenarios or SCENARIOS:
            attempts = [attempt for attempt in importlib.import_module(scenario).tries(suite)
                        if not options.verb or attempt.verb.name in options.verb]
            for attempt in attempts:
                suite.right_outputs(attempt.verb)
            for attempt, faults in zip(attempts, pool.map(suite.run, attempts)):
                count = counts[scenario, attempt.verb.name]
                count[0] += 1
                count[1] += bool(faults)
                if faults:
                    print(f"failed: {scenario}: {attempt.verb.name}: {attempt.label}: {'; '.join(faults)}", flush=True)
                elif options.list:
                    print(f"passed: {scenario}: {attempt.verb.name}: {attempt.label}", flush=True)
    for (scenario, verb), (tries, failures) in counts.items():
        print(f"{scenario:12} {verb:20} {tries:6} tries {failures:6} failures")
    tries, failures = (sum(column) for column in zip(*counts.values()))
    print(f"faults: {tries} tries, {failures} failures, {time.monotonic() - begin:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    sys.exit(main())
