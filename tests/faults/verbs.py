"""Each verb of the command on a small input, with the files that it writes."""

import array
import json
import math
import random
import struct
import subprocess
import zlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """Words of the command, without the program; names of files are relative to the folder of the run, which has the
    inputs under in/. The outputs have the same bytes in every run."""

    name: str
    words: tuple
    outputs: tuple = ()
    status: int = 0  # exit status of an undisturbed run


def verb(name, words, *outputs, status=0):
    return Verb(name, tuple(words.split()), outputs, status)


VERBS = (
    verb("cluster", "cluster in/graph.txt --clusters 3 -o labels.txt --picture picture.png", "labels.txt", "picture.png"),
    verb("cluster-compressive", "cluster in/graph.mtx.gz --clusters 3 --method compressive -o labels.npy", "labels.npy"),
    verb("cluster-points", "cluster in/points.npy --clusters 3 -o labels.txt --save-model model.npz", "labels.txt", "model.npz"),
    verb("assign", "assign in/model.npz in/points.npy -o labels.npy", "labels.npy"),
    verb("knn-graph", "knn-graph in/points.csv --neighbors 5 -o graph.mtx.gz", "graph.mtx.gz"),
    verb("score", "score in/labels.txt --graph in/graph.txt --json"),
    verb("generate", "generate sbm --nodes 300 --clusters 3 -o graph.txt.zst --labels truth.txt", "graph.txt.zst", "truth.txt"),
    verb("convert", "convert in/graph.txt.zst graph.npz", "graph.npz"),
    verb("convert-graphml", "convert in/graph.txt graph.graphml.gz", "graph.graphml.gz"),
    verb("operator-learn", "operator learn in/signals.npy --rows 12 --stages 1 --tolerance 1e-3 -o operator.npy --picture atlas.png",
         "operator.npy", "atlas.png"),
    verb("operator-denoise", "operator denoise in/noisy.png --sigma 20 -o image.png", "image.png"),
    verb("operator-inpaint", "operator inpaint in/noisy.png --mask in/mask.png --max-iterations 3 -o image.png", "image.png"),
    verb("operator-check", "operator check in/operator.npy --data in/cosparse.npy --exact --json"),
    verb("quantize", "quantize in/model.safetensors -o small.safetensors", "small.safetensors"),
    verb("quantize-pq", "quantize in/model.safetensors --scheme pq --layers a.* -o small.safetensors", "small.safetensors"),
    verb("inspect", "inspect in/small.safetensors --json"),
    verb("dequantize", "dequantize in/small.safetensors -o model.safetensors", "model.safetensors"),
    verb("run", "run in/network --texts in/texts.txt --embed vectors.npy", "vectors.npy"),
    verb("info", "info"),
    verb("completion", "completion bash"),
)


def write_npy(path, rows):
    shape = f"({len(rows)}, {len(rows[0])})"
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    values = array.array("d", (value for row in rows for value in row))
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values.tobytes())


def write_png(path, rows):
    """Grey pixels of eight bits."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\0" + bytes(row) for row in rows)
    size = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def write_safetensors(path, tensors):
    """Tensors of float32: name -> (shape, values)."""
    header, data = "", b""
    for name, (shape, values) in tensors.items():
        begin = len(data)
        data += array.array("f", values).tobytes()
        header += f'{"," if header else ""}"{name}":{{"dtype":"F32","shape":{list(shape)},"data_offsets":[{begin},{len(data)}]}}'
    text = f"{{{header}}}".encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def harmonic_frame(rows, columns):
    """A unit-norm tight frame."""
    angles = [[2 * math.pi * (j // 2 + 1) * i / rows for j in range(columns)] for i in range(rows)]
    return [[(math.sin if j % 2 else math.cos)(angle) * math.sqrt(2 / columns) for j, angle in enumerate(row)] for row in angles]


def orthogonal_signal(rows, draw):
    """A random signal that is orthogonal to the rows."""
    basis = []
    for row in (*rows, [draw.gauss(0, 1) for _ in rows[0]]):
        for other in basis + basis:
            product = sum(a * b for a, b in zip(row, other))
            row = [a - product * b for a, b in zip(row, other)]
        length = math.sqrt(sum(a * a for a in row))
        basis.append([a / length for a in row])
    return basis[-1]


def make_network(folder, run, draw, width=64, layers=1):
    """A small BERT in codes, with its tokenizer, and texts for it."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    matrices = {"embeddings.word_embeddings": (len(words), width), "embeddings.position_embeddings": (40, width),
                "embeddings.token_type_embeddings": (2, width)}
    norms = ["embeddings."]
    for layer in (f"encoder.layer.{i}." for i in range(layers)):
        matrices |= {layer + "intermediate.dense": (2 * width, width), layer + "output.dense": (width, 2 * width)}
        matrices |= {layer + "attention." + name: (width, width) for name in ("self.query", "self.key", "self.value", "output.dense")}
        norms += [layer + "attention.output.", layer + "output."]
    tensors = {name + ".weight": (shape, [draw.gauss(0, 0.1) for _ in range(shape[0] * shape[1])]) for name, shape in matrices.items()}
    for name, (rows, _) in matrices.items():
        if name.startswith("encoder."):
            tensors[name + ".bias"] = ((rows,), [0.0] * rows)
    for name in norms:
        tensors[name + "LayerNorm.weight"] = ((width,), [1.0] * width)
        tensors[name + "LayerNorm.bias"] = ((width,), [0.0] * width)
    write_safetensors(folder / "network.safetensors", tensors)
    (folder / "network").mkdir()
    run("quantize", "network.safetensors", "--scheme", "levels4", "-o", "network/model.safetensors")
    (folder / "network/vocab.txt").write_text("\n".join(words) + "\n")
    (folder / "network/config.json").write_text(json.dumps({
        "model_type": "bert", "vocab_size": len(words), "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": 4,
        "intermediate_size": 2 * width, "max_position_embeddings": 40, "type_vocab_size": 2, "pad_token_id": 0}))
    (folder / "texts.txt").write_text("a b c\nx y\n")


def make_inputs(command, folder):
    """The inputs of VERBS in `folder`, the same in every run."""
    def run(*words):
        subprocess.run([command, *words, "-q"], cwd=folder, check=True, timeout=120, stdout=subprocess.DEVNULL)

    draw = random.Random(1)
    run("generate", "sbm", "--nodes", "300", "--clusters", "3", "--epsilon-ratio", "0.1", "-o", "graph.txt", "--labels", "labels.txt")
    for name in ("graph.mtx.gz", "graph.npz", "graph.txt.zst"):
        run("convert", "graph.txt", name)
    points = [[draw.gauss(4 * (i % 3 == j), 0.5) for j in range(3)] for i in range(240)]
    write_npy(folder / "points.npy", points)
    (folder / "points.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in points))
    run("cluster", "points.npy", "--clusters", "3", "--save-model", "model.npz", "-o", "-")
    write_npy(folder / "signals.npy", [[draw.gauss(0, 1) for _ in range(9)] for _ in range(60)])
    rows = harmonic_frame(12, 8)
    write_npy(folder / "operator.npy", rows)
    write_npy(folder / "cosparse.npy", [orthogonal_signal(draw.sample(rows, 5), draw) for _ in range(60)])
    write_png(folder / "noisy.png", [[int(min(255, max(0, 100 + x + draw.gauss(0, 20)))) for x in range(48)] for _ in range(40)])
    write_png(folder / "mask.png", [[255 * (draw.random() < 0.7) for _ in range(48)] for _ in range(40)])
    write_safetensors(folder / "model.safetensors", {
        "a.weight": ((64, 32), [draw.gauss(0, 1) for _ in range(2048)]),
        "b.weight": ((16, 64), [draw.gauss(0, 1) for _ in range(1024)]),
        "b.bias": ((16,), [draw.gauss(0, 1) for _ in range(16)]),
    })
    run("quantize", "model.safetensors", "-o", "small.safetensors")
    make_network(folder, run, draw)
