"""Ctrl-C at moments spread over runs of seconds: the time from the signal to the end, and nothing or all is there.

The inputs are large in the one respect that keeps a stage busy: bytes to decompress, ids to sort, edges to write, names in
a header, values of a tensor.
"""

import gzip
import os
import random
import signal
import struct

from tries import Try
from verbs import Verb, verb

ALONE = True
MOMENTS = int(os.environ.get("PARSIMONY_MOMENTS", "12"))  # for each verb
LONGEST = 1.0  # seconds; 0.3 on a machine that does nothing else

LONG = (
    verb("long-decompress-gz", "convert long/zeros.txt.gz graph.npz", status=1),
    verb("long-decompress-zst", "convert long/zeros.txt.zst graph.npz", status=1),
    verb("long-read-edges", "convert long/graph.txt graph.npz", "graph.npz"),
    verb("long-write-gz", "convert long/graph.npz graph.mtx.gz", "graph.mtx.gz"),
    verb("long-write-zst", "convert long/graph.npz graph.txt.zst", "graph.txt.zst"),
    verb("long-inspect-many", "inspect long/many.safetensors --json"),
    verb("long-quantize-large", "quantize long/large.safetensors -o small.safetensors", "small.safetensors"),
    verb("long-quantize-pq", "quantize long/large.safetensors --scheme pq --max-iterations 1 -o small.safetensors", "small.safetensors"),
    verb("long-knn-graph", "knn-graph long/points.npy --output graph.npz", "graph.npz"),
    verb("long-cluster", "cluster long/small.npz --clusters 50 -o labels.txt --picture picture.png", "labels.txt", "picture.png"),
    verb("long-generate", "generate sbm --nodes 300000 --clusters 50 -o graph.mtx", "graph.mtx"),
    verb("long-denoise", "operator denoise long/image.npy --sigma 20 -o image.npy", "image.npy"),
)


def write_large_inputs(suite):
    folder = suite.inputs.parent / "long"
    folder.mkdir(exist_ok=True)
    zeros = b"# " + bytes(1 << 20).replace(b"\0", b"0")
    with gzip.open(folder / "zeros.txt.gz", "wb", 1) as file:
        for _ in range(400):
            file.write(zeros)
    draw = random.Random(2)
    with open(folder / "zeros.txt.zst", "wb") as file:  # blocks of one repeated byte, each of 128 KiB
        block = struct.pack("<I", (1 << 17) << 3 | 1 << 1)[:3] + b"0"
        last = struct.pack("<I", 1 << 3 | 1 << 1 | 1)[:3] + b"0"
        file.write(b"\x28\xb5\x2f\xfd\x00\x68" + block * 3000 + last)
    with open(folder / "many.safetensors", "wb") as file:
        names = (f'"layers.{i}.weight":{{"dtype":"F32","shape":[],"data_offsets":[{4 * i},{4 * i + 4}]}}' for i in range(300_000))
        header = "{" + ",".join(names) + "}"
        header += " " * (-len(header) % 8)
        file.write(struct.pack("<Q", len(header)) + header.encode() + bytes(4 * 300_000))
    values = draw.randbytes(1 << 20)
    finite = bytes(b & 0xbf if i % 4 == 3 else b for i, b in enumerate(values))  # no exponent of infinity
    with open(folder / "large.safetensors", "wb") as file:
        header = '{"a.weight":{"dtype":"F32","shape":[4096,8192],"data_offsets":[0,134217728]}}'
        header += " " * (-len(header) % 8)
        file.write(struct.pack("<Q", len(header)) + header.encode())
        for _ in range(128):
            file.write(finite)

    def npy(name, shape, make):
        text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
        text += " " * (-(len(text) + 11) % 64) + "\n"
        with open(folder / name, "wb") as out:
            out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode())
            for _ in range(shape[0]):
                out.write(struct.pack(f"<{shape[1]}f", *make(shape[1])))

    npy("points.npy", (40_000, 16), lambda n: [draw.random() for _ in range(n)])
    row = [128 + 20 * draw.random() for _ in range(6000)]
    npy("image.npy", (3000, 2000), lambda n: row[draw.randrange(4000):][:n])
    for words in ("generate sbm --nodes 200000 --clusters 50 --degree 20 -o graph.npz", "convert graph.npz graph.txt",
                  "generate sbm --nodes 20000 --clusters 50 -o small.npz"):
        suite.undisturbed(Verb(words, tuple(words.split())), folder, os.environ)


def check(done):
    return [f"ended {done.seconds:.2f} s after the signal"] if done.signalled and done.seconds > LONGEST else []


def tries(suite):
    write_large_inputs(suite)

    def prepare(folder):
        (folder / "long").symlink_to(suite.inputs.parent / "long")

    for long in LONG:
        suite.right_outputs(long, prepare)
        for moment in range(MOMENTS):
            seconds = max(0.05, suite.seconds[long.name] * (moment + 0.5) / MOMENTS)
            yield Try(long, f"after {seconds:.2f} s", signals=((seconds, signal.SIGINT),), statuses=(0, 130), prepare=prepare, check=check)
