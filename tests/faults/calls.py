"""System calls that fail: for each verb and kind of call, every one that the run makes, one after the other."""

import errno

from tries import Try
from verbs import VERBS

KINDS = {
    "open": errno.EMFILE,
    "read": errno.EIO,
    "write": errno.ENOSPC,
    "fsync": errno.EIO,
    "rename": errno.EACCES,
    "mmap": errno.ENOMEM,
    "close": errno.EIO,
    "thread": errno.EAGAIN,
}
MOST = 60  # calls of a kind that are tried, evenly spread where there are more


def evenly(count, most):
    """1 to count, or `most` of these numbers."""
    if count <= most:
        return list(range(1, count + 1))
    return sorted({1 + round(i * (count - 1) / (most - 1)) for i in range(most)})


def tries(suite):
    for verb in VERBS:
        for kind, error in KINDS.items():
            environment = {"FAULT_CALL": kind, "FAULT_ERRNO": str(error)}
            for at in evenly(suite.count(verb, "failing_calls", environment), MOST):
                for after in ("0",) if kind == "thread" else ("0", "1"):  # limits.py has threads
                    yield Try(verb, f"{kind} {at}{' and later' if after == '1' else ''}", "failing_calls",
                              {**environment, "FAULT_AT": str(at), "FAULT_AFTER": after})
