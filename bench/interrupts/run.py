#!/usr/bin/env python3
"""Ctrl-C at random moments of runs of minutes: the time from the signal to the end, and what is left.

    python3 bench/interrupts/run.py PARSIMONY WORK [RUN…] [--moments N] [--longest SECONDS] [--write]

WORK is a folder for the inputs (5 GB), which are kept for the next time. Each run of inputs.py is started `moments` times in
all, divided evenly, and gets SIGINT after a random time below `longest` seconds and its own length. Then it must exit with
130 and one line of error, and its folder of outputs must be as it was: the old files whole, no other but a checkpoint of
training. A run that has ended before its signal does not count; its length bounds the next ones.

Other work on the machine delays the end of a process. So there are three times: seconds from the signal to the end; the
CPU seconds of the process in them, its children included; and how late a thread of this program woke up at most, which
sleeps for a millisecond again and again. On a quiet machine an end takes at most 0.15 s, after which the process gives
up, and the CPU seconds of what it does then. --first (as root) lets the process and this program go before all other work
from a twentieth of a second before the signal on, so that a busy machine measures nearly what a quiet one does. --write
writes results.md. Tries are kept in WORK/tries.jsonl: the same call with the same program goes on where the last one was
stopped.

Exit status: 0 if nothing was broken and no end took longer than PROMISE, apart from how late this program woke up."""

import argparse
import contextlib
import glob
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from inputs import RUNS, drive, make_inputs

PROMISE = 0.3  # seconds
PATIENCE = 120
OLD = b"an older output\n"
TICKS = os.sysconf("SC_CLK_TCK")


class Lateness:
    """How late a thread wakes up that asks for a millisecond of sleep."""

    def __enter__(self):
        self.longest, self.ends = 0.0, False
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.ends:
            begin = time.monotonic()
            time.sleep(0.001)
            self.longest = max(self.longest, time.monotonic() - begin - 0.001)

    def __exit__(self, *_):
        self.ends = True
        self.thread.join()


def go_first(pid, first):
    """All threads of the process, and those of this program, go before others, or no longer do."""
    policy, priority = (os.SCHED_RR, os.sched_param(1)) if first else (os.SCHED_OTHER, os.sched_param(0))
    for process in (pid, os.getpid()):
        try:
            for thread in os.listdir(f"/proc/{process}/task"):
                os.sched_setscheduler(int(thread), policy, priority)
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended


def cpu_seconds(pid):
    """CPU seconds of the process so far, those of children that have ended included. The kernel brings the sum up to date
    at its ticks only, which may be far apart; the clock of a thread is always right."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    seconds = sum(int(word) for word in words[11:15]) / TICKS
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            known = int(pathlib.Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
            seconds += (time.clock_gettime_ns(~int(thread) << 3 | 6) - known) / 1e9
        except OSError:
            pass  # it has ended
    return seconds


def text_of(file):
    file.seek(0)
    return file.read()


def interrupt(words, folder, moment, first):
    """One try: None if the run had ended, or (seconds, CPU seconds, lateness, faults)."""
    with contextlib.ExitStack() as files_of_try:
        out = pathlib.Path(files_of_try.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix="out-")))
        words = [word.format(out=out, data=drive.DATA) for word in words]
        words = [name for word in words for name in (sorted(glob.glob(word)) if word.endswith("/*.png") else [word])]
        files = [pathlib.Path(word) for word in words if word.startswith(f"{out}/") and pathlib.Path(word).suffix]
        for file in files:
            file.write_bytes(OLD)
        messages = files_of_try.enter_context(tempfile.TemporaryFile("w+"))
        process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=messages)
        begin = time.monotonic()
        while time.monotonic() - begin < moment:
            try:
                process.wait(min(1, moment))
            except subprocess.TimeoutExpired:
                continue
            if process.returncode not in (0, drive.NOT_CONVERGED):
                raise RuntimeError(f"{' '.join(words)}: exit status {process.returncode}: {text_of(messages)}")
            return None, time.monotonic() - begin
        if first:
            go_first(process.pid, True)
            too_long = threading.Timer(3, go_first, (process.pid, False))
            too_long.start()
            time.sleep(0.05)
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            if first:  # it has ended just now
                too_long.cancel()
                go_first(process.pid, False)
            return None, time.monotonic() - begin
        before = cpu_seconds(process.pid)
        with Lateness() as lateness:
            start = time.monotonic()
            os.kill(process.pid, signal.SIGINT)  # send_signal() would take the status of a process that has ended
            watchdog = threading.Timer(PATIENCE, process.kill)
            watchdog.start()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - start
            watchdog.cancel()
        if first:
            too_long.cancel()
            go_first(process.pid, False)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu = max(0.0, usage.ru_utime + usage.ru_stime - before)
        return (seconds, cpu, lateness.longest, broken(process.returncode, text_of(messages), out, files)), moment


def broken(status, said, out, files):
    faults = []
    whole = status in (0, drive.NOT_CONVERGED)  # the signal came after the last moment at which it could be heard
    if status != 130 and not whole:
        faults.append(f"exit status {status}")
    errors = [line for line in said.splitlines() if "error:" in line or "terminate called" in line]
    if len(errors) != (0 if whole else 1):
        faults.append(f"{len(errors)} lines of error")
    if not whole:
        faults += [f"{file.name} is not the old one" for file in files if not file.exists() or file.read_bytes() != OLD]
        left = {path.relative_to(out) for path in out.rglob("*") if path.is_file() and path not in files}
        left = sorted(str(path) for path in left if not path.name.endswith("checkpoint"))
        faults += [f"left behind: {', '.join(left)}"] if left else []
    else:
        faults += [f"{file.name} is old after exit status 0" for file in files if file.read_bytes() == OLD]
    return faults + ([f"stderr: {said.strip()[-300:]}"] if faults and said.strip() else [])


def head(options):
    flags = f"--moments {options.moments} --longest {options.longest:g}" + " --first" * options.first
    return f"""# Ctrl-C in runs of minutes

    python3 bench/interrupts/run.py build/release/cli/parsimony WORK {flags} --write

Seconds from the signal to the end; CPU seconds of the process in them, with all of those of a child that ends then; and how late a
sleeping thread of the measuring program woke up meanwhile, at most, because the machine did other work. The text of the program says
more. Training writes its checkpoint at the signal.

| run | moments | median | longest | CPU, longest | late, at the longest | late, longest | broken |
|---|---|---|---|---|---|---|---|
"""


def row(name, times, failures):
    longest = max(times)
    figures = (statistics.median(t[0] for t in times), longest[0], max(t[1] for t in times), longest[2], max(t[2] for t in times))
    return f"| {name} | {len(times)} | " + " | ".join(f"{figure:.3f}" for figure in figures) + f" | {failures} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("runs", nargs="*", help="default: all")
    parser.add_argument("--moments", type=int, default=200, help="of all runs together")
    parser.add_argument("--longest", type=float, default=120, help="seconds after which the signal comes at the latest")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", action="store_true", help="real-time priority at the signal")
    parser.add_argument("--write", action="store_true", help="write results.md")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's background ignores it, and so would the runs
    options.work.mkdir(parents=True, exist_ok=True)
    folder, command = options.work.resolve(), str(options.command.resolve())
    make_inputs(command, folder)
    runs = {name: words for name, words in RUNS.items() if not options.runs or name in options.runs}
    kept, this = folder / "tries.jsonl", [os.stat(command).st_mtime_ns, options.longest, options.seed, options.first]
    known = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    rows, everything, all_broken, failures = [], [], 0, 0
    for number, (name, words) in enumerate(runs.items()):
        moments = options.moments // len(runs) + (number < options.moments % len(runs))
        tries = [one["try"] for one in known if one["of"] == [*this, name]]
        draw, times, broken_tries, length = random.Random(f"{options.seed} {name} {len(tries)}"), [], 0, options.longest
        while len(times) < moments:
            if tries:
                moment, result, ended = tries.pop(0)
            else:
                moment = draw.uniform(0.02, length)
                result, ended = interrupt([command, *words.split()], folder, moment, options.first)
                with kept.open("a") as file:
                    file.write(json.dumps({"of": [*this, name], "try": [moment, result, ended]}) + "\n")
            if result is None:
                length = min(length, ended)
                continue
            seconds, cpu, late, faults = result
            times.append((seconds, cpu, late))
            broken_tries += bool(faults)
            if faults or seconds - late > PROMISE:
                print(f"{name}: after {moment:.2f} s: {seconds:.3f} s, CPU {cpu:.3f} s, late {late:.3f} s: {'; '.join(faults)}", file=sys.stderr,
                      flush=True)
        all_broken += broken_tries
        failures += broken_tries + sum(seconds - late > PROMISE for seconds, _, late in times)
        everything += times
        rows.append(row(name, times, broken_tries))
        print(rows[-1], flush=True)
    rows.append(row("all", everything, all_broken))
    print(rows[-1])
    if options.write:
        pathlib.Path(__file__).with_name("results.md").write_text(head(options) + "\n".join(rows) + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
