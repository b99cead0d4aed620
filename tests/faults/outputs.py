"""Outputs whose writing does not end well: kills at any moment and before each step of the writing, full disks, limits of
file sizes, and a standard output that takes nothing. Kills may leave outputs of two runs, the next run leaves its own alone.
"""

import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from calls import evenly
from tries import Try
from verbs import VERBS

MOMENTS = 200  # kills of a verb at random moments
MOST = 30  # steps of a kind at which a verb is killed, and sizes of disks and files
PAGE = 4096  # a file system in memory gives space in these

# The run lies on a small disk of its own; its files are copied to where they are looked at.
SMALL_DISK = """exec unshare -m bash -c 'mkdir disk && mount -t tmpfs -o size={bytes} none disk && cp {outputs} disk &&
  ln -s ../in disk/in && cd disk && "$@"; status=$?; rm in; cp -a . ..; cd .. && umount disk && rmdir disk; exit $status' bash "$@"
"""


def seconds_of(suite, verb):
    with tempfile.TemporaryDirectory(dir=suite.folder) as name:
        (Path(name) / "in").symlink_to(suite.inputs)
        begin = time.monotonic()
        suite.undisturbed(verb, Path(name), os.environ)
        return time.monotonic() - begin


def check_next_run(suite, verb):
    """The next run makes all outputs new, and leaves nothing else."""
    def check(done):
        run = subprocess.run([suite.command, *verb.words], cwd=done.folder, capture_output=True, timeout=120)
        faults = [] if run.returncode == verb.status else [f"the next run ends with {run.returncode}"]
        faults += [f"{output} is not new after the next run" for output, content
                   in zip(verb.outputs, suite.right_outputs(verb)) if (done.folder / output).read_bytes() != content]
        left = sorted({path.name for path in done.folder.iterdir()} - {*verb.outputs, "in"})
        return faults + ([f"left by the next run: {', '.join(left)}"] if left else [])
    return check


def kills(suite, verb):
    check = check_next_run(suite, verb)
    draw = random.Random(verb.name)
    seconds = seconds_of(suite, verb)
    for _ in range(MOMENTS):
        delay = draw.uniform(0, 1.1 * seconds)
        yield Try(verb, f"kill after {delay:.4f} s", signals=((delay, signal.SIGKILL),),
                  statuses=(0, -signal.SIGKILL), mixture=True, check=check)
    for step in ("write", "fsync", "rename"):
        environment = {"FAULT_CALL": step, "FAULT_SIGNAL": str(int(signal.SIGKILL))}
        for at in evenly(suite.count(verb, "failing_calls", environment), MOST):
            yield Try(verb, f"kill before {step} {at}", "failing_calls", {**environment, "FAULT_AT": str(at)},
                      statuses=(-signal.SIGKILL,), mixture=True, check=check)


def limits(suite, verb):
    sizes = [len(content) for content in suite.right_outputs(verb)]
    old, new = len(sizes), sum(-(-size // PAGE) for size in sizes)
    if os.geteuid() == 0:
        for pages in evenly(new, MOST):
            shell = SMALL_DISK.format(bytes=(old + pages - 1) * PAGE, outputs=" ".join(verb.outputs))
            yield Try(verb, f"disk with {pages - 1} free pages", shell=shell)
    for kilobytes in evenly((max(sizes) - 1) // 1024, MOST):
        yield Try(verb, f"files of {kilobytes} KiB at most", limits=f"-f {kilobytes}", statuses=(1,))


def tries(suite):
    for verb in VERBS:
        for name, shell in (("full", 'exec "$@" >/dev/full'), ("closed", 'exec "$@" >&-')):
            yield Try(verb, f"standard output {name}", shell=shell)
        if verb.outputs:
            yield from kills(suite, verb)
            yield from limits(suite, verb)
