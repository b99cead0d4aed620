"""EfficientNets, one image, one thread: this library beside ONNX Runtime on the same weights.

    ./dev build && cmake --preset release -DPARSIMONY_BUILD_BENCH=ON && cmake --build --preset release
    python bench/run/vision.py build/release --data ../shared/data --output bench/run/vision.md

needs numpy, onnxruntime and safetensors (requirements.txt). Lite0 has its published weights if the data folder is there,
all others have random ones. Each run is a process of its own, and the programs take turns, so that other programs on the
machine slow all of them. Times are processor time: the median within a process, then the median of the rounds.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/models/references"))
sys.path.insert(0, str(ROOT / "bench"))
import drive  # noqa: E402

VARIANTS = {"lite0": (1, 1, True, 224), "b0": (1, 1, False, 224), "b3": (1.2, 1.4, False, 300)}

ONNX_RUNTIME = """
import sys, time
import numpy as np, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
side = int(sys.argv[2])
feed = {"images": np.random.default_rng(0).standard_normal((1, 3, side, side)).astype("f4")}
times = []
for i in range(25):
    begin = time.process_time()
    session.run(None, feed)
    if i >= 5: times.append(time.process_time() - begin)
print(1e3 * sorted(times)[len(times) // 2])
"""


def ours(bench, model, precision):
    done = subprocess.run(
        [bench, f"--benchmark_filter=classify_{precision}$", "--benchmark_repetitions=1"], capture_output=True,
        text=True, check=True, env=os.environ | {"PARSIMONY_BENCH_MODEL": str(model)},
    )  # fmt: skip
    found = re.search(r"classify_\S+\s+\S+ ms\s+(\S+) ms\s+\d+ bytes=(\S+)M", done.stdout)
    return float(found[1]), float(found[2])


def onnx_runtime(model, side):
    done = subprocess.run(
        [sys.executable, "-c", ONNX_RUNTIME, model, str(side)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--program", type=pathlib.Path, help="another build of the command, for quantize and export")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--avx2", action="store_true", help="kernels for AVX2 on any machine; ONNX Runtime takes what it finds")
    arguments = parser.parse_args()
    if arguments.avx2:
        drive.take_avx2()

    import efficientnet_tensors
    import safetensors.numpy

    bench = (arguments.build / "bench/run_image_network_bench").resolve()
    program = arguments.program or arguments.build / "cli/parsimony"
    rows = []
    for variant, (width, depth, lite, side) in VARIANTS.items():
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            model = arguments.data / "networks" / f"efficientnet_{variant}.safetensors"
            if not model.exists():
                model = folder / "m.safetensors"
                safetensors.numpy.save_file(efficientnet_tensors.tensors(width, depth, lite, 1000), model)
            small, onnx = folder / "small.safetensors", folder / "m.onnx"
            for command in (
                ["quantize", model, "--scheme", "int8", "--range", "min-max", "--output", small],
                ["export", model, "--onnx", onnx, "--weights", "floats"],
            ):
                subprocess.run([program, *command, "--quiet"], check=True, stdout=subprocess.DEVNULL)
            tries = {"ort": [], "float": [], "codes": []}
            for _ in range(arguments.rounds):
                tries["ort"].append(onnx_runtime(onnx, side))
                tries["float"].append(ours(bench, model, "auto")[0])
                time, memory = ours(bench, small, "auto")
                tries["codes"].append(time)
            ort, floats, codes = (statistics.median(tries[key]) for key in ("ort", "float", "codes"))
            rows.append(
                f"| {variant}, {side} × {side} | {ort:.1f} | {floats:.1f} | {floats / ort:.2f} | {codes:.1f} | "
                f"{codes / ort:.2f} | {small.stat().st_size / 1e6:.1f} MB | {memory:.1f} MB |"
            )
            print(rows[-1], flush=True)
    if arguments.output:
        head = (
            "| network | ONNX Runtime, floats, ms | floats, ms | ratio | int8 codes, ms | ratio | file | "
            "memory of the weights |\n"
            "|---|---|---|---|---|---|---|---|\n"
        )
        arguments.output.write_text(
            "EfficientNets, one image, one thread, processor time, by `bench/run/vision.py`.\n\n"
            + head
            + "\n".join(rows)
            + "\n"
        )


if __name__ == "__main__":
    main()
