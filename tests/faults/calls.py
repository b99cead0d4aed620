"""System calls that fail: for each verb and kind of call, every one that the run makes, one after the other."""

import errno
import os

from tries import Try
from verbs import VERBS

KINDS = (
    ("open", errno.EMFILE),
    ("read", errno.EIO),
    ("write", errno.ENOSPC),
    ("write", errno.EDQUOT),  # the user's share of the disk
    ("fsync", errno.EIO),
    ("fsync", errno.EDQUOT),  # file systems of a network tell it late
    ("rename", errno.EACCES),
    ("mmap", errno.ENOMEM),
    ("close", errno.EIO),
    ("close", errno.EDQUOT),
    ("thread", errno.EAGAIN),
)
MOST = 60  # calls of a kind that are tried, evenly spread where there are more


def evenly(count, most):
    """1 to count, or `most` of these numbers."""
    if count <= most:
        return list(range(1, count + 1))
    return sorted({1 + round(i * (count - 1) / (most - 1)) for i in range(most)})


def check_reason(reason):
    """A failure is told with its reason."""
    return lambda done: [] if done.status == 0 or reason in done.stderr else [f"the message does not say '{reason}'"]


def tries(suite):
    for verb in VERBS:
        for kind, error in KINDS:
            environment = {"FAULT_CALL": kind, "FAULT_ERRNO": str(error)}
            for at in evenly(suite.count(verb, "failing_calls", environment), MOST):
                for after in ("0",) if kind == "thread" else ("0", "1"):  # limits.py has threads
                    check = check_reason(os.strerror(error)) if error == errno.EDQUOT else None
                    yield Try(verb, f"{kind} {at}{' and later' if after == '1' else ''}: {errno.errorcode[error]}", "failing_calls",
                              {**environment, "FAULT_AT": str(at), "FAULT_AFTER": after}, check=check)
