#!/usr/bin/env python3
"""The table of bench/quant/results/integer_tiles.md: integer_tiles.py [--threads 1] [--build build/release]

Runs quant_integer_tiles_bench with one thread, or more, and prints for each shape and number of rows the microseconds of
OpenBLAS's sgemm, and its time divided by that of each product: medians of short repetitions that take turns. "Roofline"
is the least time by the instructions of the kernel on registers alone. For AVX2, OpenBLAS runs its kernels for Haswell.
Processor time with one thread, wall time otherwise."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import drive  # noqa: E402

WAYS = ("integers8", "integers7", "integers6", "chosen8", "chosen7", "chosen6", "int8", "levels4")
PEAKS = {"": ("peak8", "integers8"), "_avx2": ("peak7_avx2", "integers7")}


def measure(program, threads, names, repetitions, core):
    command = [program, f"--benchmark_filter=^({'|'.join(names)})(/|$)", "--benchmark_enable_random_interleaving",
               f"--benchmark_repetitions={repetitions}", "--benchmark_min_time=0.02", "--benchmark_format=json"]
    environment = os.environ | {"PARSIMONY_BENCH_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)} | core
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    times, peaks = {}, {}
    for one in json.loads(done.stdout)["benchmarks"]:
        if one["run_type"] != "iteration":
            continue
        name, _, shape = one["name"].partition("/")
        if name.startswith("peak"):
            peaks.setdefault(name, []).append(one["products"])
        else:
            value = one["cpu_time" if threads == 1 else "real_time"]
            times.setdefault((name, tuple(map(int, shape.split("/")[:3]))), []).append(value)
    median = statistics.median
    return {key: median(values) for key, values in times.items()}, {key: median(values) for key, values in peaks.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=drive.ROOT / "build/release")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=9)
    options = parser.parse_args()
    program = options.build / "bench/quant_integer_tiles_bench"
    for suffix, title in (("", "Best target of the machine"), ("_avx2", "Kernels for AVX2")):
        names = ["openblas", *(way + suffix for way in WAYS), *(peak + suffix for peak in ("peak8", "peak7", "peak6"))]
        core = {"OPENBLAS_CORETYPE": "Haswell"} if suffix else {}
        times, peaks = measure(program, options.threads, names, options.repetitions, core)
        rates = ", ".join(f"{name.removesuffix(suffix)} {rate / 1e9:.0f}" for name, rate in sorted(peaks.items()))
        print(f"\n{title}, {options.threads} thread{'s' * (options.threads > 1)}. Peaks of a core in 1e9 multiply-adds a "
              f"second: {rates}.\n")
        print("\n".join(drive.table(["outputs × inputs", "rows", "sgemm, µs", *(f"{way}, ×" for way in WAYS), "roofline, µs",
                                     "of it"])))
        peak, way = PEAKS[suffix]
        for shape in sorted({key[1] for key in times}, key=lambda one: ((768, 768), (3072, 768), (768, 3072)).index(one[:2])
                            * 1000 + one[2]):
            gemm = times["openblas", shape]
            least = 1e6 * shape[0] * shape[1] * shape[2] / peaks[peak] / options.threads
            cells = [f"{shape[0]} × {shape[1]}", str(shape[2]), f"{gemm:.0f}",
                     *(f"{gemm / times[one + suffix, shape]:.1f}" for one in WAYS), f"{least:.0f}",
                     f"{100 * least / times[way + suffix, shape]:.0f} %"]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
