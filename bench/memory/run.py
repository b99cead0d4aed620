#!/usr/bin/env python3
"""The smallest limit of memory that a run accepts, and what it takes then: one line for each run of RUNS.

    python3 bench/memory/run.py PARSIMONY [RUN…] [--cgroup FOLDER] [--write]

For each run, --max-memory falls by steps of 1.15 from twice the peak without a limit until the run is refused. The table
has the last limit that was accepted, the estimate and the peak of that run (peak resident memory, the program included),
and the peak beside the promise: 1.05 × limit + 12 MB, and the network that the run maps.

With --cgroup, a folder in which this user may make cgroups with a limit of memory (version 1 or 2; as root), each run is
also started in a cgroup of that limit, with --max-memory and without. As long as it is refused there, the cgroup grows by
steps of 1.04. The last two columns have the least cgroups in which it was done, beside the limit. The kernel must not end
a run in any. --write writes results.md.

Exit status: 0 if every run keeps the promise.
"""

import argparse
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests/faults"))
sys.path.insert(0, str(HERE.parent))
import drive  # noqa: E402
from verbs import make_network, write_png, write_safetensors  # noqa: E402

STEP = 1.15
GROUP_STEP, GROUP_STEPS = 1.04, 16
THREADS = "2"

# name of the run: words of the command. Inputs are made by make_inputs().
RUNS = {
    "convert, edge list of integers": "convert integers.txt out.npz",
    "the same .gz": "convert integers.txt.gz out.npz",
    "the same .zst": "convert integers.txt.zst out.npz",
    "convert, edge list of words": "convert words.txt out.npz",
    "the same .gz ": "convert words.txt.gz out.npz",
    "convert, weighted edge list": "convert weighted.txt out.npz",
    "convert, Matrix Market": "convert planted.mtx out.npz",
    "convert, .npz": "convert planted.npz out.mtx",
    "convert, METIS": "convert planted.graph out.npz",
    "convert, GraphML": "convert small.graphml out.npz",
    "convert, GML": "convert small.gml out.npz",
    "convert, Pajek": "convert small.net out.npz",
    "convert to .txt.gz": "convert planted.npz out.txt.gz",
    "convert to METIS, .zst": "convert planted.npz out.graph.zst",
    "generate sbm": "generate sbm --nodes 100k --clusters 50 -o out.npz",
    "generate lfr": "generate lfr --nodes 30k --mean-degree 15 --max-degree 50 --mixing 0.3 -o out.npz",
    "score": "score planted-labels.txt --graph planted.npz",
    "cluster auto fast": "cluster planted.npz --clusters 50 --effort fast -o out.txt",
    "cluster filtered": "cluster planted.npz --clusters 50 --method filtered -o out.txt",
    "cluster filtered, edge list": "cluster integers.txt --clusters 20 --method filtered -o out.txt",
    "cluster compressive": "cluster planted.mtx --clusters 50 --method compressive --restarts 1 -o out.txt",
    "cluster exact": "cluster part.npz --clusters 10 --method exact -o out.txt",
    "cluster with a picture": "cluster part.npz --clusters 10 --method filtered -o out.txt --picture out.png",
    "cluster points": "cluster points8.npy --clusters 10 -o out.txt --save-model out-model.npz --picture out.png",
    "assign": "assign model.npz points8.npy -o out.txt",
    "knn-graph, approximate": "knn-graph points64.npy --search approximate -o out.npz",
    "knn-graph, exact": "knn-graph points8.npy --search exact -o out.npz",
    "operator denoise": "operator denoise image.png --sigma 20 -o out.png",
    "operator inpaint": "operator inpaint image.png --mask mask.png --max-iterations 2 -o out.png",
    "operator learn": "operator learn signals.npy --rows 48 --max-iterations 5 -o out-operator.npy",
    "operator learn, noise-aware": "operator learn signals.npy --method untf --noise-aware --rows 48 --max-steps 9 -o out-operator.npy",
    "operator learn, patches": "operator learn image.png --samples 60000 --batches 9 -o out-operator.npy",
    "operator learn, a flow": "operator learn image.png --unrolled --sigma 20 --iterations 3 -o out-flow.npz",
    "quantize": "quantize model.safetensors -o out.safetensors",
    "quantize to products": "quantize model.safetensors --scheme pq8 --max-iterations 3 -o out.safetensors",
    "quantize to a budget": "quantize model.safetensors --budget 2MB -o out.safetensors",
    "dequantize": "dequantize small.safetensors -o out.safetensors",
    "inspect": "inspect many.safetensors",
    "order": "order planted.npz -o out.npz",
    "run, texts": "run network --texts texts.txt --embed out.npy",
    "run, pictures": "run lite0.safetensors --image pictures",
    "export": "export network --onnx out.onnx",
}
DATA = {"run, pictures": "networks/efficientnet_lite0.safetensors"}  # runs that need a file of the data folder


def run(command, folder, words, limit=None, cgroup=None):
    """(exit status, the record of memory) of one run."""
    words = [command, *words.split(), "--json"]
    if limit:
        words += ["--max-memory", str(int(limit))]
    if cgroup:
        words = ["sh", "-c", f'echo $$ > {cgroup}/cgroup.procs && exec "$@"', "sh", *words]
    done = subprocess.run(words, cwd=folder, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": THREADS})
    memory = json.loads(done.stdout)["memory"] if done.returncode in (0, 3) else {}
    return done.returncode, memory, done.stderr.decode()


def mapped_bytes(folder, words):
    """The networks among the inputs, whose pages are resident while they are used, and do not count for the limit."""
    inputs = [folder / word for word in words.split(" -o ")[0].split()]
    files = [file for path in inputs if path.exists() for file in (path.glob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files if file.suffix == ".safetensors")


def write_floats(path, rows, columns, draw):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    values = (draw.gauss(3 * (i % 10 == j % 10), 1) for i in range(rows) for j in range(columns))
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     b"".join(struct.pack("<f", value) for value in values))


def make_inputs(command, folder):
    def make(words):
        subprocess.run([command, *words.split(), "-q"], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    draw = random.Random(1)
    with open(folder / "integers.txt", "w") as file:
        for _ in range(1_000_000):
            file.write(f"{draw.randrange(10 ** 9)} {draw.randrange(10 ** 9)}\n")
    with open(folder / "words.txt", "w") as file:
        for _ in range(500_000):
            file.write(f"person-{draw.randrange(10 ** 5)} person-{draw.randrange(10 ** 5)}\n")
    with open(folder / "weighted.txt", "w") as file:
        for _ in range(500_000):
            first, second = draw.randrange(10 ** 5), draw.randrange(10 ** 5)
            file.write(f"{first} {second} {(first + second) % 97 + 1}\n")
    for name in ("integers.txt", "words.txt"):
        subprocess.run(["gzip", "-1", "-k", name], cwd=folder, check=True)
    make("convert integers.txt integers.txt.zst")
    make("generate sbm --nodes 100k --clusters 50 -o planted.npz --labels planted-labels.txt")
    make("generate sbm --nodes 20k --clusters 10 -o part.npz")
    for name in ("planted.mtx", "planted.graph"):
        make(f"convert planted.npz {name}")
    for name in ("small.graphml", "small.gml", "small.net"):
        make(f"convert part.npz {name}")
    write_floats(folder / "points64.npy", 20_000, 64, draw)
    write_floats(folder / "points8.npy", 8_000, 8, draw)
    make("cluster points8.npy --clusters 10 -o out.txt --save-model model.npz")
    rows = [[int(draw.gauss(128, 20)) & 255 for _ in range(1200)] for _ in range(900)]
    write_png(folder / "image.png", rows)
    write_png(folder / "mask.png", [[255 * (value % 3 > 0) for value in row] for row in rows])
    write_safetensors(folder / "model.safetensors", {
        f"{i}.weight": ((1024, 1024), [draw.random() for _ in range(1 << 20)]) for i in range(4)})
    make("quantize model.safetensors -o small.safetensors")
    write_floats(folder / "signals.npy", 20_000, 24, draw)
    names = ",".join(f'"layers.{i}.weight":{{"dtype":"F32","shape":[],"data_offsets":[{4 * i},{4 * i + 4}]}}' for i in range(100_000))
    header = f"{{{names}}}".encode()
    header += b" " * (-len(header) % 8)
    (folder / "many.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(400_000))
    make_network(folder, lambda *words: make(" ".join(words)), draw, width=512, layers=4)
    (folder / "texts.txt").write_text("".join(" ".join(draw.choices("abcdefghij", k=30)) + "\n" for _ in range(500)))
    (folder / "pictures").mkdir()
    for i in range(20):
        write_png(folder / f"pictures/{i}.png", [[draw.randrange(256) for _ in range(300)] for _ in range(300)])
    if (drive.DATA / DATA["run, pictures"]).exists():
        (folder / "lite0.safetensors").symlink_to(drive.DATA / DATA["run, pictures"])


def in_cgroup(parent, command, folder, words, limit, flag):
    """done, refused or killed: the run in a cgroup with that limit, also with --max-memory."""
    group = pathlib.Path(parent) / f"parsimony-{os.getpid()}"
    group.mkdir()
    try:
        file = next(file for name in ("memory.max", "memory.limit_in_bytes") if (file := group / name).exists())
        file.write_text(str(int(limit) // 4096 * 4096))
        status = run(command, folder, words, limit if flag else None, cgroup=group)[0]
        return {0: "done", 3: "done", 1: "refused"}.get(status, "killed")
    finally:
        group.rmdir()


def least_cgroup(parent, command, folder, words, limit, flag):
    """The least cgroup in which the run is done, as a multiple of the limit, or what happened."""
    for step in range(GROUP_STEPS):
        ended = in_cgroup(parent, command, folder, words, limit * GROUP_STEP**step, flag)
        if ended != "refused":
            return f"{GROUP_STEP**step:.2f}" if ended == "done" else f"**{ended}** at {GROUP_STEP**step:.2f}"
    return f"refused up to {GROUP_STEP**(GROUP_STEPS - 1):.2f}"


HEAD = """# Limits of memory and what runs take

Megabytes. The limit is the smallest that a run accepts, to a factor of 1.15. The promise: a peak of at most 1.05 × limit + 12 MB,
and the network that the run maps. Two threads. The last columns have the least cgroup in which the run was done, as a multiple of the
limit: by the cgroup alone, and with `--max-memory` of the same size. The pages of the input files count in a cgroup, too.

```sh
python3 bench/memory/run.py build/release/cli/parsimony --cgroup /sys/fs/cgroup/memory --write
```

"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command")
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--cgroup")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    command = os.path.abspath(options.command)
    broken, lines = 0, []

    def say(line):
        lines.append(line)
        print(line, flush=True)

    with tempfile.TemporaryDirectory(prefix="parsimony-memory-") as name:
        folder = pathlib.Path(name)
        make_inputs(command, folder)
        say("| run | peak without a limit | limit accepted | estimate | peak | peak / limit | promise |"
            + (" cgroup / limit | with the flag |" if options.cgroup else ""))
        say("|---|---|---|---|---|---|---|" + ("---|---|" if options.cgroup else ""))
        for title, words in RUNS.items():
            if options.runs and title.strip() not in options.runs:
                continue
            if title in DATA and not (drive.DATA / DATA[title]).exists():
                print(f"skipped: {title}: needs {drive.DATA / DATA[title]}", file=sys.stderr)
                continue
            status, free, said = run(command, folder, words)
            if status not in (0, 3):
                raise RuntimeError(f"{title}: {said}")
            mapped = mapped_bytes(folder, words)
            limit, accepted, memory = 2 * free["peak"], None, None
            while True:
                status, found, said = run(command, folder, words, limit)
                if status not in (0, 3):
                    if status != 1 or "emory" not in said:
                        print(f"{title}: exit status {status}: {said.strip()}", file=sys.stderr)
                        broken += 1
                    break
                accepted, memory = limit, found
                if found["peak"] > 1.05 * limit + 12e6 + mapped:
                    broken += 1
                    break
                limit /= STEP
            if accepted is None:
                say(f"| {title.strip()} | {free['peak'] / 1e6:.1f} | refused twice the peak: {said.strip()} |")
                broken += 1
                continue
            kept = memory["peak"] <= 1.05 * accepted + 12e6 + mapped
            line = [title.strip(), *(f"{bytes / 1e6:.1f}" for bytes in (free["peak"], accepted, memory["estimate"], memory["peak"])),
                    f"{memory['peak'] / accepted:.2f}", "kept" if kept else "broken"]
            if options.cgroup:
                line += [least_cgroup(options.cgroup, command, folder, words, accepted, flag) for flag in (False, True)]
                broken += sum("killed" in cell for cell in line[-2:])
            say("| " + " | ".join(line) + " |")
    if options.write:
        (HERE / "results.md").write_text(HEAD + "\n".join(lines) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
