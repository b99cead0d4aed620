#!/usr/bin/env python3
"""Where the error of product codes lies: outliers.py PARSIMONY MODEL_FOLDER

Prints, for product codes of MiniLM with int8 codebooks, the part of a layer's error that its worst thousandth and its
worst hundredth of blocks have, beside the bytes that an index and float16 values for these blocks would add."""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import read_compact  # noqa: E402
from minilm import floats  # noqa: E402


def main():
    path = Path(sys.argv[2]) / "all-minilm-l6-v2-fp16.safetensors"
    weights = floats(path)
    print("| blocks of | of the blocks | of the error: median | least | most | of the bytes |\n|---|---|---|---|---|---|")
    for block in (4, 8):
        with tempfile.TemporaryDirectory() as folder:
            small = Path(folder) / "small.safetensors"
            subprocess.run([sys.argv[1], "quantize", path, "--scheme", f"pq{block}", "--codebook", "int8", "--half", "-o", small,
                            "-q"], check=True, stdout=subprocess.DEVNULL)
            _, tensors = read_compact.read_compact(small)
            errors = [((read_compact.array(tensor).astype(np.float32) - weights[name]).reshape(-1, block)**2).sum(1)
                      for name, tensor in tensors.items() if weights[name].ndim == 2 and weights[name].size > 10000]
        for part in (0.001, 0.01):
            shares = [np.sort(e)[-max(1, round(part * e.size)):].sum() / e.sum() for e in errors]
            print(f"| {block} | {part:.1%} | {np.median(shares):.1%} | {min(shares):.1%} | {max(shares):.1%} | "
                  f"{part * (4 + 2 * block):.1%} |", flush=True)


if __name__ == "__main__":
    main()
