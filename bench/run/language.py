"""A language model token by token, one thread: this library beside PyTorch eager, which keeps keys and values, too.

    cmake --preset release -DPARSIMONY_BUILD_BENCH=ON && cmake --build --preset release
    python bench/run/language.py build/release

needs safetensors and torch. The weights are random: 6 layers of 512 values, 8 heads, 2048 inner values, 10,000 tokens.
The programs take turns in processes of their own; times are processor time for a token with 64 to 95 tokens before it.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import drive  # noqa: E402

LAYERS, WIDTH, HEADS, INNER, VOCABULARY, BEFORE, TOKENS = 6, 512, 8, 2048, 10_000, 64, 32


def peer():
    """Milliseconds of processor time for a token in PyTorch."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    torch.manual_seed(0)
    blocks = [
        {name: torch.randn(rows, columns) / math.sqrt(columns) for name, rows, columns in [
            ("query", WIDTH, WIDTH), ("key", WIDTH, WIDTH), ("value", WIDTH, WIDTH), ("output", WIDTH, WIDTH),
            ("wide", INNER, WIDTH), ("narrow", WIDTH, INNER)]}
        for _ in range(LAYERS)
    ]  # fmt: skip
    embedding, one, zero = torch.randn(VOCABULARY, WIDTH), torch.ones(WIDTH), torch.zeros(WIDTH)
    biases = {INNER: torch.zeros(INNER), WIDTH: zero}

    def linear(x, weight):
        return functional.linear(x, weight, biases[len(weight)])

    def step(token, position, caches):
        x = functional.embedding(token, embedding) * math.sqrt(WIDTH)
        for block, (keys, values) in zip(blocks, caches, strict=True):
            y = functional.layer_norm(x, (WIDTH,), one, zero)
            keys[:, position] = linear(y, block["key"]).view(HEADS, -1)
            values[:, position] = linear(y, block["value"]).view(HEADS, -1)
            query = linear(y, block["query"]).view(HEADS, 1, -1)
            seen = functional.scaled_dot_product_attention(query, keys[:, : position + 1], values[:, : position + 1])
            x = x + linear(seen.reshape(1, WIDTH), block["output"])
            y = functional.layer_norm(x, (WIDTH,), one, zero)
            x = x + linear(functional.relu(linear(y, block["wide"])), block["narrow"])
        return functional.linear(functional.layer_norm(x, (WIDTH,), one, zero), embedding)

    times = []
    with torch.inference_mode():
        for _ in range(6):
            shape = (HEADS, BEFORE + TOKENS, WIDTH // HEADS)
            caches = [(torch.zeros(shape), torch.zeros(shape)) for _ in range(LAYERS)]
            for position in range(BEFORE + TOKENS):
                if position == BEFORE:
                    begin = time.process_time()
                step(torch.tensor([position % 97]), position, caches)
            times.append((time.process_time() - begin) / TOKENS)
    print(1e3 * statistics.median(times[1:]))


def write_model(path):
    import numpy as np
    import safetensors.numpy

    draws = np.random.default_rng(0)
    tensors = {"embedding.weight": draws.standard_normal((VOCABULARY, WIDTH)).astype("f4")}

    def norm(name):
        tensors.update({f"{name}.weight": np.ones(WIDTH, "f4"), f"{name}.bias": np.zeros(WIDTH, "f4")})

    norm("norm")
    for layer in range(LAYERS):
        for part in ("attention", "feed_forward"):
            norm(f"layers.{layer}.{part}_norm")
        sizes = {f"attention.{name}": (WIDTH, WIDTH) for name in ("query", "key", "value", "output")}
        sizes |= {"feed_forward.0": (INNER, WIDTH), "feed_forward.2": (WIDTH, INNER)}
        for name, shape in sizes.items():
            weight = draws.standard_normal(shape) / math.sqrt(shape[1])
            tensors[f"layers.{layer}.{name}.weight"] = weight.astype("f4")
            tensors[f"layers.{layer}.{name}.bias"] = np.zeros(shape[0], "f4")
    safetensors.numpy.save_file(tensors, path)


def ours(bench, model):
    environment = os.environ | {"PARSIMONY_BENCH_MODEL": str(model), "PARSIMONY_BENCH_HEADS": str(HEADS)}
    command = [bench, "--benchmark_filter=generate_auto$", "--benchmark_format=json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found = json.loads(done.stdout)["benchmarks"][0]
    return found["cpu_time"] / TOKENS, found["bytes"] / 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--program", type=pathlib.Path, help="another build of the command, for quantize")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--avx2", action="store_true", help="kernels for AVX2 on any machine, PyTorch's too")
    arguments = parser.parse_args()
    if arguments.avx2:
        drive.take_avx2()
    bench = (arguments.build / "bench/run_language_model_bench").resolve()
    program = arguments.program or arguments.build / "cli/parsimony"
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "m.safetensors"
        write_model(model)
        files = {"floats": model}
        for scheme in ("int8", "levels4", "pq8"):
            files[scheme] = pathlib.Path(folder) / f"{scheme}.safetensors"
            command = [program, "quantize", model, "--scheme", scheme, "--range", "min-max", "--max-iterations", "3"]
            subprocess.run([*command, "--quiet", "--output", files[scheme]], check=True, stdout=subprocess.DEVNULL)
        times = {name: [] for name in ["torch", *files]}
        memory = {}
        for _ in range(arguments.rounds):
            done = subprocess.run([sys.executable, __file__, "--peer"], capture_output=True, text=True, check=True)
            times["torch"].append(float(done.stdout))
            for name, file in files.items():
                milliseconds, memory[name] = ours(bench, file)
                times[name].append(milliseconds)
        peer_time = statistics.median(times["torch"])
        print("| | a token | times as fast | memory of the weights |\n|---|---|---|---|")
        print(f"| PyTorch eager, floats | {peer_time:.2f} ms | 1 | |")
        for name in files:
            own = statistics.median(times[name])
            print(f"| {name} | {own:.2f} ms | {peer_time / own:.1f} × | {memory[name]:.1f} MB |")


if __name__ == "__main__":
    if sys.argv[1:] == ["--peer"]:
        peer()
    else:
        main()
