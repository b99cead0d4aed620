"""Noise from the first step on, before codes that lose much: a small Transformer on a part of Brown, over several seeds.

    python experiments/quant_noise/orderings.py BUILD DATA WORK [--seeds N…] [--steps N]

BUILD is a build folder, DATA the data folder (docs/data.md), WORK a folder for networks; finished ones are not made again.
Each noise of each seed trains a network of its own (about 4 CPU minutes), which is then put into product codes 20 times
smaller, at once and with 100 more steps on the centroids, and into integers of 4 bits by the smallest and the largest value.
Writes orderings.md: means over the seeds, and paired differences with the 95 % intervals of Student's t.
"""

import argparse
import json
import pathlib
import statistics
import subprocess

parser = argparse.ArgumentParser()
parser.add_argument("build", type=pathlib.Path)
parser.add_argument("data", type=pathlib.Path)
parser.add_argument("work", type=pathlib.Path)
parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
parser.add_argument("--steps", type=int, default=2500)
options = parser.parse_args()
command, data, work = str(options.build.resolve() / "cli/parsimony"), options.data.resolve(), options.work.resolve()
work.mkdir(parents=True, exist_ok=True)
BYTES, HELD_OUT = 510_000, 150_000  # some 150,000 tokens to train on
brown = (data / "text/brown.txt").read_bytes()
(work / "text.txt").write_bytes(brown[:BYTES])
(work / "held-out.txt").write_bytes(brown[-HELD_OUT:])
TASK = {"kind": "language", "text": str(work / "text.txt"), "held_out": str(work / "held-out.txt"),
        "encoder": str(data / "text/encoder.json"), "merges": str(data / "text/vocab.bpe"), "max_vocabulary": 2048, "layers": 4,
        "width": 64, "heads": 4, "feed_forward": 256, "context": 64, "dropout": 0.1}
ADAM = {"optimizer": "adamw", "clip_norm": 1}
INT4 = {"function": "integer", "bits": 4, "granularity": "per-channel", "range": "min-max"}
PRODUCT = {"function": "product", "block_size": 8, "refresh_steps": 250}
PROXY = {"function": "proxy", "block_size": 8}
NOISES = {"nothing": None, "integers, rate .5": {**INT4, "rate": 0.5}, "integers, rate 1 (QAT)": {**INT4, "rate": 1},
          "products, rate .1": {**PRODUCT, "rate": 0.1}, "products, rate 1 (QAT)": {**PRODUCT, "rate": 1},
          "proxy, rate .1": {**PROXY, "rate": 0.1}, "proxy, rate .2": {**PROXY, "rate": 0.2}}
CODES = {"block_size": 8, "codebook": "int8", "schemes": [{"layers": r".*attention\..*", "block_size": 4}], **ADAM,
         "learning_rate": 1e-3}
FORMS = ["floats", "int4, min-max", "products", "products, 100 steps more"]
STUDENT = {2: 12.71, 3: 4.303, 4: 3.182, 5: 2.776}  # by the number of seeds


def run(*arguments):
    subprocess.run([command, *map(str, arguments), "--threads", "1", "--quiet"], check=True, stdout=subprocess.DEVNULL)


def train(folder, seed, **parts):
    folder.mkdir(exist_ok=True)
    if not (folder / "report.json").exists():
        (folder / "recipe.json").write_text(json.dumps({"seed": seed, **parts}, indent=1))
        run("train", folder / "recipe.json", "--output", folder)
    return json.loads((folder / "report.json").read_text())["figures"]["perplexity"]


def evaluated(model, recipe):
    done = subprocess.run([command, "evaluate", model, recipe, "--threads", "1", "--json"], check=True, capture_output=True)
    return json.loads(done.stdout)["figures"]["perplexity"]


def forms(name, seed):
    """The perplexity of a network in each form, of which the first is as it was trained."""
    noise = NOISES[name]
    folder = work / f"{'-'.join(''.join(c if c.isalnum() else ' ' for c in name).split())}-{seed}"
    training = {**ADAM, "batch_size": 8, "steps": options.steps, "learning_rate": 3e-3, "warmup_steps": 100}
    figures = [train(folder, seed, task=TASK, training=training, **({"noise": noise} if noise else {}))]
    weights = folder / "model.safetensors"
    run("quantize", weights, "--scheme", "int4", "--range", "min-max", "--output", folder / "int4.safetensors")
    figures.append(evaluated(folder / "int4.safetensors", folder / "recipe.json"))
    for steps in (0, 100):
        ipq = {**CODES, **({"steps": steps, "warmup_steps": 10} if steps else {"epochs": 0})}
        figures.append(train(folder / f"codes-{steps}", seed, task={**TASK, "weights": str(weights)}, ipq=ipq,
                             training={"batch_size": 8, "epochs": 0}, export={"deflate_header": True}))
    print(seed, name, figures, flush=True)
    return figures


found = {name: [] for name in NOISES}
for seed in options.seeds:
    for name in NOISES:
        found[name].append(forms(name, seed))
count = len(options.seeds)
text = f"""# Noise from the first step on, and codes that lose much

{options.steps:,} steps of 8 × 64 tokens, a Transformer of 4 layers of width 64; perplexity on text held out, over {count} seeds.
Written by `experiments/quant_noise/orderings.py`.

| trained with | {' | '.join(FORMS)} |
|---|{'---|' * len(FORMS)}
"""
for name, rows in found.items():
    text += f"| {name} | {' | '.join(f'{statistics.mean(column):.1f}' for column in zip(*rows))} |\n"
if count in STUDENT:
    text += "\nDifference to the network that trained with nothing, at the same seeds, ± half of the 95 % interval:\n\n"
    text += f"| trained with | {' | '.join(FORMS)} |\n|---|{'---|' * len(FORMS)}\n"
    for name, rows in list(found.items())[1:]:
        cells = []
        for mine, plain in zip(zip(*rows), zip(*found["nothing"])):
            apart = [a - b for a, b in zip(mine, plain)]
            cells.append(f"{statistics.mean(apart):+.1f} ± {STUDENT[count] * statistics.stdev(apart) / count ** 0.5:.1f}")
        text += f"| {name} | {' | '.join(cells)} |\n"
pathlib.Path(__file__).with_name("orderings.md").write_text(text)
