"""EfficientNet-Lite0 on pictures of ImageNet, quantized without training: without data, and put right by 128 pictures.

    python experiments/efficientnet/run.py                # writes table.md; about ten CPU minutes

Calibration is from train-1000.zip alone; all of val-650.zip is judged. Both are in the data folder (PARSIMONY_DATA, by
default ../shared/data), the command in build/release (or --build).
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("PARSIMONY_DATA", ROOT / "../shared/data")).resolve()
MODEL = DATA / "networks/efficientnet_lite0.safetensors"
TRAIN, JUDGED = DATA / "imagenet/train-1000.zip", DATA / "imagenet/val-650.zip"
NETWORK = "efficientnet-lite0"
BUDGETS = {"5.2 MB": ["--scheme", "int8"], "3.3 MB": ["--budget", "3.3MB"], "2.8 MB": ["--budget", "2.8MB"],
           "2.6 MB": ["--scheme", "int4"], "2.0 MB": ["--budget", "2MB"]}
WAYS = {"without data": ["--bias-correction"], "128 pictures": ["--network", NETWORK, "--images", str(TRAIN)]}


def run(command, *words):
    done = subprocess.run([command, *map(str, words), "--threads", "1", "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def accuracy(command, model, recipe):
    return 100 * run(command, "evaluate", model, recipe)["figures"]["accuracy"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    command = parser.parse_args().build / "cli/parsimony"
    with tempfile.TemporaryDirectory() as folder:
        recipe = pathlib.Path(folder, "recipe.json")
        task = {"kind": "images", "network": NETWORK, "archive": str(TRAIN), "test_archive": str(JUDGED)}
        recipe.write_text(json.dumps({"task": task}))
        rows = [f"| float32 | {MODEL.stat().st_size:,} | {accuracy(command, MODEL, recipe):.2f} | |"]
        for size, flags in BUDGETS.items():
            top1 = []
            for way in WAYS.values():
                small = pathlib.Path(folder, "small.safetensors")
                run(command, "quantize", MODEL, "--half", *flags, *way, "--output", small)
                top1.append(accuracy(command, small, recipe))
                print(size, top1[-1], flush=True)
                size_in_bytes = small.stat().st_size
            rows.append(f"| {size}: `{' '.join(flags)}` | {size_in_bytes:,} | {top1[0]:.2f} | {top1[1]:.2f} |")
    columns = " | ".join(f"{name}: `--half {' '.join(flags)}`" for name, flags in WAYS.items())
    table = "\n".join([f"| file | bytes | {columns.replace(str(DATA), '$DATA')} |", "|---|---|---|---|", *rows])
    intro = f"# {__doc__.splitlines()[0]}\n\nTop-1 in % on the 650 pictures of val-650.zip, an easy selection of " \
        "ImageNet's validation part; a difference\nof 1.5 is one standard error. No training. Written by " \
        "`experiments/efficientnet/run.py`.\n\n"
    pathlib.Path(__file__).with_name("table.md").write_text(intro + table + "\n")


main()
