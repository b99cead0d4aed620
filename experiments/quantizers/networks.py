#!/usr/bin/env python3
"""Bytes of the paper's networks at full size, with random weights: networks.py PARSIMONY FOLDER [NAME…] [--write]

Makes roberta, lm and efficientnet_b3 in FOLDER under the names of transformers, fairseq and timm (1.5 GB), and prints the
size of the compact file of each run in RUNS. Sizes depend on shapes alone. --write makes each file, compares its size
with the plan, and prints processor seconds and peak memory. Needs numpy."""
import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

PARAMETERS = {"roberta": 124_647_939, "lm": 246_935_552, "efficientnet_b3": 12_233_232}
PRUNED = "--share pairs --prune every-other"
RUNS = [("roberta", "--preset paper"), ("roberta", f"--preset paper {PRUNED}"),
        ("lm", "--scheme *=pq8 --half"), ("lm", f"--scheme ffn=pq16,*=pq8 --half {PRUNED}"),
        ("efficientnet_b3", "--preset paper"), ("efficientnet_b3", "--preset small --deflate-header"),
        ("efficientnet_b3", "--preset small --deflate-header --fold-batch-norm")]


class Network:
    """Collects the shapes of a network; parameters are counted, buffers are not."""

    def __init__(self):
        self.shapes, self.parameters = {}, 0

    def tensor(self, name, *shape, buffer=False):
        self.shapes[name] = shape
        self.parameters += 0 if buffer else math.prod(shape)

    def linear(self, name, outputs, *inputs):
        self.tensor(f"{name}.weight", outputs, *inputs)
        self.tensor(f"{name}.bias", outputs)

    def layer_norm(self, name, width):
        self.tensor(f"{name}.weight", width)
        self.tensor(f"{name}.bias", width)

    def batch_norm(self, name, width):
        self.layer_norm(name, width)
        self.tensor(f"{name}.running_mean", width, buffer=True)
        self.tensor(f"{name}.running_var", width, buffer=True)


def roberta():
    network, width = Network(), 768
    for name, rows in (("word", 50265), ("position", 514), ("token_type", 1)):
        network.tensor(f"roberta.embeddings.{name}_embeddings.weight", rows, width)
    network.layer_norm("roberta.embeddings.LayerNorm", width)
    for layer in range(12):
        prefix = f"roberta.encoder.layer.{layer}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            network.linear(f"{prefix}.attention.{name}", width, width)
        network.layer_norm(f"{prefix}.attention.output.LayerNorm", width)
        network.linear(f"{prefix}.intermediate.dense", 4 * width, width)
        network.linear(f"{prefix}.output.dense", width, 4 * width)
        network.layer_norm(f"{prefix}.output.LayerNorm", width)
    network.linear("classifier.dense", width, width)
    network.linear("classifier.out_proj", 3, width)
    return network


def lm():
    """16 layers of 1024 / 4096; adaptive input of 20,000, 60,000 and 267,744 words, tied to the adaptive softmax."""
    network, width = Network(), 1024
    for band, words in enumerate((20000, 40000, 207744)):
        network.tensor(f"decoder.embed_tokens.embeddings.{band}.0.weight", words, width // 4**band)
        network.tensor(f"decoder.embed_tokens.embeddings.{band}.1.weight", width, width // 4**band)
    for layer in range(16):
        prefix = f"decoder.layers.{layer}"
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            network.linear(f"{prefix}.self_attn.{name}", width, width)
        network.layer_norm(f"{prefix}.self_attn_layer_norm", width)
        network.linear(f"{prefix}.fc1", 4 * width, width)
        network.linear(f"{prefix}.fc2", width, 4 * width)
        network.layer_norm(f"{prefix}.final_layer_norm", width)
    network.layer_norm("decoder.layer_norm", width)
    network.tensor("decoder.adaptive_softmax.head.class_proj.weight", 2, width)
    return network


def efficientnet_b3():
    network = Network()

    def channels(base):  # 1.2 times wider than B0, in multiples of 8
        wide = max(8, int(base * 1.2 + 4) // 8 * 8)
        return wide + 8 if wide < 0.9 * base * 1.2 else wide

    def squeeze(name, width, reduced):
        network.linear(f"{name}.se.conv_reduce", reduced, width, 1, 1)
        network.linear(f"{name}.se.conv_expand", width, reduced, 1, 1)

    before = channels(32)
    network.tensor("conv_stem.weight", before, 3, 3, 3)
    network.batch_norm("bn1", before)
    stages = [(3, 1, 16, 1), (3, 6, 24, 2), (5, 6, 40, 2), (3, 6, 80, 3), (5, 6, 112, 3), (5, 6, 192, 4), (3, 6, 320, 1)]
    for stage, (kernel, expansion, base, repeats) in enumerate(stages):
        for i in range(math.ceil(1.4 * repeats)):
            name, width, out = f"blocks.{stage}.{i}", before * expansion, channels(base)
            norms = iter((f"{name}.bn1", f"{name}.bn2", f"{name}.bn3"))
            if expansion > 1:
                network.tensor(f"{name}.conv_pw.weight", width, before, 1, 1)
                network.batch_norm(next(norms), width)
            network.tensor(f"{name}.conv_dw.weight", width, 1, kernel, kernel)
            network.batch_norm(next(norms), width)
            squeeze(name, width, before // 4)
            network.tensor(f"{name}.{'conv_pwl' if expansion > 1 else 'conv_pw'}.weight", out, width, 1, 1)
            network.batch_norm(next(norms), out)
            before = out
    network.tensor("conv_head.weight", channels(1280), before, 1, 1)
    network.batch_norm("bn2", channels(1280))
    network.linear("classifier", 1000, channels(1280))
    return network


def write(network, path):
    header, end = {}, 0
    for name, shape in network.shapes.items():
        size = 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    random = np.random.default_rng(0)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, shape in network.shapes.items():
            values = 0.05 * random.standard_normal(shape, dtype=np.float32)
            if name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
                values += 1
            values.tofile(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parsimony", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", choices=[*PARAMETERS, []], help="networks; default: all")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    more = " CPU s | MiB |" if options.write else ""
    print(f"| network | run | bytes | times fewer |{more}\n|---|---|---|---|{'---|---|' if options.write else ''}")
    for name in options.names or PARAMETERS:
        network, path = globals()[name](), options.folder / f"{name}.safetensors"
        if network.parameters != PARAMETERS[name]:
            sys.exit(f"{name}: {network.parameters} parameters, not {PARAMETERS[name]}")
        if not path.exists():
            write(network, path)
        for flags in (flags for of, flags in RUNS if of == name):
            command = [options.parsimony, "quantize", path, *flags.split(), "--json", "--threads", 1, "-q"]
            planned = drive.report(*command, "--dry-run")["output"]["bytes"]
            cells = ""
            if options.write:
                out = options.folder / "compact.safetensors"
                run = drive.measure(*command, "--output", out)
                if out.stat().st_size != planned:
                    sys.exit(f"{name} {flags}: {out.stat().st_size} bytes, planned {planned}")
                cells = f" {run.cpu:.1f} | {run.memory:.0f} |"
            times = 4 * network.parameters / planned
            print(f"| {name} | `{flags}` | {planned:,} | {times:.1f} |{cells}", flush=True)


if __name__ == "__main__":
    main()
