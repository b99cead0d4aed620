#!/usr/bin/env python3
"""Dependencies and sizes of the programs of the preset standalone: check.py [BUILD] [--command PARSIMONY --model MODEL]

    cmake --preset standalone && cmake --build --preset standalone && tests/standalone/check.py

Fails if the shared library needs another library than those of C and C++, if the program needs any, or if one of them shows
a symbol that it should not. With --command and --model, a network of texts with its tokenizer, it also compares the
similarities of two texts with those of the command."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALLOWED = {"libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
TEXTS = ["--text", "A man plays the guitar.", "--text", "Someone makes music."]


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def needed(file):
    return {line.split()[1] for line in output("objdump", "-p", file).splitlines() if line.strip().startswith("NEEDED")}


def stripped_size(file, folder):
    copy = folder / file.name
    output("strip", "-o", copy, file)
    return copy.stat().st_size


def similarities(program, model, threads):
    report = json.loads(output(program, "run", model, *TEXTS, "--threads", threads, "--json", "-q"))
    return [one["similarity"] for one in report["results"]], report["simd_target"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, nargs="?", default=ROOT / "build/standalone")
    parser.add_argument("--command", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path)
    options = parser.parse_args()
    library, program = (options.build / "c/libparsimony-run.so").resolve(), options.build / "cli/parsimony-run"
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        for file, allowed in ((library, ALLOWED), (program, set())):
            names = needed(file)
            print(f"{file.name}: {stripped_size(file, pathlib.Path(folder)):,} bytes stripped; needs {', '.join(sorted(names)) or 'nothing'}")
            if names - allowed:
                faults.append(f"{file.name} needs {', '.join(sorted(names - allowed))}")
    shown = {line.split()[-1] for line in output("nm", "-D", "--defined-only", library).splitlines()}
    if hidden := {name for name in shown if not name.startswith("parsimony_run_")}:
        faults.append(f"{library.name} shows {', '.join(sorted(hidden)[:5])}")
    if options.command and options.model:
        (alone, target), (right, _) = similarities(program, options.model, 1), similarities(options.command, options.model, 1)
        print(f"similarities {alone} ({target}); the command's {right}")
        if alone != right:
            faults.append("the similarities differ from those of the command")
        if similarities(program, options.model, 3)[0] != alone:
            faults.append("three threads give other similarities")
    sys.exit("\n".join(faults) or None)


if __name__ == "__main__":
    main()
