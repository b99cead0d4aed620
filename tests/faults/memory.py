"""Requests for memory that fail: for each verb the Nth one alone, and all from the Nth on; also large requests only,
which come from the work itself. The line on stderr names the lack, and never blames a file or the program."""

from calls import evenly
from tries import Try
from verbs import VERBS

MOST = 40  # requests that are tried of each kind
LARGE = 1500  # bytes: libraries and messages request less
BLAME = ("damaged", "broken", "corrupt", "truncated", "please report")


def blames(done):
    said = done.stderr.lower()
    return [f"says '{word}'" for word in BLAME if word in said]


def tries(suite):
    for verb in VERBS:
        for least in (0, LARGE):
            environment = {"FAULT_MIN": str(least)}
            for at in evenly(suite.count(verb, "failing_memory", environment), MOST):
                for after in ("0", "1"):
                    label = f"request {at} of {least} bytes or more{', and later ones' if after == '1' else ''}"
                    yield Try(verb, label, "failing_memory",
                              {**environment, "FAULT_AT": str(at), "FAULT_AFTER": after}, check=blames)
