"""Runs each verb under limits of the address space, of the number of threads, and of processes in a control group, as
clusters and containers set them."""

import errno
import os
import pathlib

from tries import Try
from verbs import VERBS

ADDRESS_SPACE = (25_000, 30_000, 40_000, 60_000, 80_000, 100_000, 150_000, 200_000, 250_000, 400_000)  # kB
THREADS = (1, 2, 3, 4)  # at once
PROCESSES = (1, 2, 3, 4, 6)  # and threads, in a control group
GROUPS = (pathlib.Path("/sys/fs/cgroup/pids"), pathlib.Path("/sys/fs/cgroup"))  # the folders of versions 1 and 2


def group_of_processes():
    """A folder whose subfolders are control groups with a limit of processes, if this user may make them."""
    for folder in GROUPS:
        try:
            if folder == GROUPS[1] and "pids" not in (folder / "cgroup.subtree_control").read_text().split():
                continue
            group = folder / f"parsimony-{os.getpid()}"
            group.mkdir()
            limited = (group / "pids.max").exists()
            group.rmdir()
            if limited:
                return folder
        except OSError:
            pass
    return None


def few_processes(verb, processes, folder, number):
    """The run in a control group of its own."""
    group = folder / f"parsimony-{os.getpid()}-{number}"

    def prepare(_):
        group.mkdir()
        (group / "pids.max").write_text(str(processes))

    def check(_):
        group.rmdir()
        return []

    return Try(verb, f"{processes} processes in the control group", shell=f'echo $$ > {group}/cgroup.procs && exec "$@"',
               prepare=prepare, check=check)


def tries(suite):
    folder, number = group_of_processes(), 0
    if folder is None:
        print("skipped: limits of processes need a control group that this user may make")
    for verb in VERBS:
        for processes in PROCESSES if folder else ():
            number += 1
            yield few_processes(verb, processes, folder, number)
        for limit in ADDRESS_SPACE:
            yield Try(verb, f"{limit} kB of address space", limits=f"-v {limit}")
        for threads in THREADS:
            environment = {"FAULT_CALL": "thread", "FAULT_AT": str(threads), "FAULT_AFTER": "1", "FAULT_ERRNO": str(errno.EAGAIN)}
            for asked in ("2", "4"):
                words = () if verb.name in ("info", "completion", "inspect") else ("--threads", asked)
                yield Try(verb, f"{threads} threads where {asked} are asked for", "failing_calls", environment, words=words,
                          statuses=(0,))
