"""One run of the command under a fault, and what holds of every one.

A run ends within seconds, by itself. It exits with a documented status; a failure is told by one line, which asks for no
report. Each output is afterwards the old file or the new one, whole, and nothing else is left.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import Callable, Optional

from verbs import Verb

OLD = b"an older output\n"
PATIENCE = 20  # seconds after which a run counts as one that never ends


@dataclass
class Try:
    verb: Verb
    label: str  # the fault, in a few words
    preload: str = ""  # name of a library of tests/faults
    environment: dict = field(default_factory=dict)
    limits: str = ""  # words of ulimit: "-v 100000"
    shell: str = ""  # text of bash that runs the command as "$@"
    mixture: bool = False  # whether some outputs may be new and others old
    signals: tuple = ()  # pairs (seconds, signal): sent so long after the start, each after the one before
    statuses: tuple = (0, 1)  # allowed exits; a negative number is a signal
    words: tuple = ()  # more words of the command
    prepare: Optional[Callable] = None  # gets the folder before the run
    check: Optional[Callable] = None  # gets a Done; returns faults, each a text


@dataclass
class Done:
    status: int
    stdout: str
    stderr: str
    seconds: float  # from the start, or from the last signal, to the end
    signalled: bool  # a signal came before the end
    folder: pathlib.Path
    changed: tuple  # outputs that are new


class Suite:
    """The command, the preloaded libraries, and the inputs and right outputs of all verbs."""

    def __init__(self, command, libraries, folder):
        self.command = os.path.abspath(command)
        self.libraries = pathlib.Path(libraries).resolve()
        self.folder = pathlib.Path(folder)
        self.inputs = self.folder / "in"
        self.right = {}  # verb -> the bytes of its outputs
        self.seconds = {}  # verb -> the time of its undisturbed run

    def right_outputs(self, verb, prepare=None):
        """The outputs of an undisturbed run, after prepare(folder)."""
        if verb.name not in self.right:
            with tempfile.TemporaryDirectory(dir=self.folder) as name:
                run = pathlib.Path(name)
                (run / "in").symlink_to(self.inputs)
                if prepare:
                    prepare(run)
                begin = time.monotonic()
                self.undisturbed(verb, run, os.environ)
                self.seconds[verb.name] = time.monotonic() - begin
                self.right[verb.name] = [(run / output).read_bytes() for output in verb.outputs]
        return self.right[verb.name]

    def undisturbed(self, verb, folder, environment):
        done = subprocess.run([self.command, *verb.words], cwd=folder, env=environment, timeout=300, capture_output=True)
        if done.returncode != verb.status:
            raise RuntimeError(f"{verb.name}: exit status {done.returncode}: {done.stderr.decode()}")

    def count(self, verb, preload, environment):
        """How often an undisturbed run makes the call that `preload` counts."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            run = pathlib.Path(name)
            (run / "in").symlink_to(self.inputs)
            environment = {**os.environ, **environment, "FAULT_COUNT": str(run / "count")}
            environment["LD_PRELOAD"] = str(self.libraries / f"{preload}.so")
            self.undisturbed(verb, run, environment)
            return int((run / "count").read_text())

    def run(self, attempt):
        """The faults of one try, none where every promise is kept, and how long it took to end."""
        right = self.right_outputs(attempt.verb)
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        try:
            (folder / "in").symlink_to(self.inputs)
            for output in attempt.verb.outputs:
                (folder / output).write_bytes(OLD)
            if attempt.prepare:
                attempt.prepare(folder)
            before = set(folder.iterdir())
            done = self.execute(attempt, folder)
            return self.broken(attempt, done, before, right), done.seconds
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def execute(self, attempt, folder):
        environment = {**os.environ, **attempt.environment}
        words = [self.command, *attempt.verb.words, *attempt.words]
        if attempt.preload:
            words = ["env", f"LD_PRELOAD={self.libraries / attempt.preload}.so", *words]
        if attempt.limits:
            words = ["bash", "-c", f'ulimit {attempt.limits} && exec "$@"', "bash", *words]
        if attempt.shell:
            words = ["bash", "-c", attempt.shell, "bash", *words]
        with open(folder / ".out", "wb") as out, open(folder / ".err", "wb") as err:
            process = subprocess.Popen(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            start, sent = time.monotonic(), False
            for seconds, number in attempt.signals:
                try:
                    process.wait(seconds)
                    break
                except subprocess.TimeoutExpired:
                    start = time.monotonic()
                    process.send_signal(number)
                    sent = True
            try:
                status = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status = None
            seconds = time.monotonic() - start
        texts = [(folder / name).read_text(errors="replace") for name in (".out", ".err")]
        for name in (".out", ".err"):
            (folder / name).unlink()
        return Done(status, *texts, seconds, sent, folder, ())

    def broken(self, attempt, done, before, right):
        faults = []
        if done.status is None:
            faults.append(f"no end within {PATIENCE} s")
        elif done.status not in (*attempt.statuses, attempt.verb.status):
            name = signal.Signals(-done.status).name if done.status < 0 else done.status
            faults.append(f"exit status {name}")
        errors = [line for line in done.stderr.splitlines() if "error" in line or "terminate called" in line]
        if done.status and done.status > 0 and done.status != attempt.verb.status and len(errors) != 1:
            faults.append(f"{len(errors)} lines of error")
        if "please report" in done.stderr:
            faults.append("asks for a report")
        changed = []
        for output, bytes_of_right in zip(attempt.verb.outputs, right):
            path = done.folder / output
            found = path.read_bytes() if path.exists() else None
            if found == bytes_of_right:
                changed.append(output)
            elif found != OLD:
                faults.append(f"{output} is {'missing' if found is None else 'neither old nor new'}")
        if done.status == 0 and len(changed) < len(attempt.verb.outputs):
            faults.append("exit status 0 with an old output")
        # Where renaming fails for good, the new files cannot be put back, and the message names them.
        named = "already of this run" in done.stderr and all(output in done.stderr for output in changed)
        if 0 < len(changed) < len(attempt.verb.outputs) and not named and not attempt.mixture:
            faults.append("some outputs are old and some new")
        left = sorted(path.name for path in set(done.folder.iterdir()) - before)
        if left and -signal.SIGKILL not in attempt.statuses:
            faults.append(f"left behind: {', '.join(left)}")
        done.changed = tuple(changed)
        if attempt.check:
            faults += attempt.check(done)
        if faults and done.stderr.strip():
            faults.append(f"stderr: {done.stderr.strip()[:300]}")
        return faults
