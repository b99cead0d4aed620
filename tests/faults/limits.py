"""Runs each verb under limits of the address space and of the number of threads, as clusters and containers set them."""

import errno

from tries import Try
from verbs import VERBS

ADDRESS_SPACE = (25_000, 30_000, 40_000, 60_000, 80_000, 100_000, 150_000, 200_000, 250_000, 400_000)  # kB
THREADS = (1, 2, 3, 4)  # at once


def tries(suite):
    for verb in VERBS:
        for limit in ADDRESS_SPACE:
            yield Try(verb, f"{limit} kB of address space", limits=f"-v {limit}")
        for threads in THREADS:
            environment = {"FAULT_CALL": "thread", "FAULT_AT": str(threads), "FAULT_AFTER": "1", "FAULT_ERRNO": str(errno.EAGAIN)}
            for asked in ("2", "4"):
                words = () if verb.name in ("info", "completion", "inspect") else ("--threads", asked)
                yield Try(verb, f"{threads} threads where {asked} are asked for", "failing_calls", environment, words=words,
                          statuses=(0,))
