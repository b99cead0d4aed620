"""MiniLM on sentences: fine-tuned, then in codes after training, by QAT and by Quant-Noise. Writes the table of a set.

    python experiments/sentences/run.py BUILD DATA WORK [--set sst2|sick] [--seed N] [--only WORD…]

BUILD is a build folder, DATA the data folder (docs/data.md), WORK a folder for networks: finished ones are not made again.
A seed of a set takes about 30 CPU minutes. --only prints the rows whose names have one of the words (and the float network),
and leaves the table as it is.
"""

import argparse
import json
import pathlib
import subprocess

parser = argparse.ArgumentParser()
parser.add_argument("build", type=pathlib.Path)
parser.add_argument("data", type=pathlib.Path)
parser.add_argument("work", type=pathlib.Path)
parser.add_argument("--set", choices=["sst2", "sick"], default="sst2")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--only", nargs="*", default=[])
options = parser.parse_args()
data, work = options.data.resolve(), options.work.resolve() / f"{options.set}-{options.seed}"
work.mkdir(parents=True, exist_ok=True)
command, minilm, seed = str(options.build.resolve() / "cli/parsimony"), data / "minilm", options.seed
SETS = {  # training and evaluation texts, sentences that are used, the file of the table, its title
    "sst2": ("text/glue/SST-2/train_full.tsv", "text/glue/SST-2/dev.tsv", 5120, "table.md",
             "the 872 sentences of SST-2's `dev.tsv`, fine-tuned on 5,120 sentences of its training part"),
    "sick": ("text/sick-train.tsv", "text/sick-dev.tsv", 4480, "sick.md",
             "entailment in the 500 pairs of SICK's `sick-dev.tsv`, fine-tuned on 4,480 pairs of its training part"),
}
texts, held_out, SENTENCES, table, title = SETS[options.set]
task = {"kind": "sentences", "texts": str(data / texts), "held_out": str(data / held_out), "texts_used": SENTENCES,
        "tokenizer": str(minilm), "config": str(minilm / "config.json"), "max_length": 64}
steps = {"batch_size": 16, "optimizer": "adamw"}
NOISE_STEPS, CODE_STEPS = 120, 60
PRODUCTS = "ffn=pq8,embedding=pq8,attention=pq4,classifier=int8,*=int8"
STAGES = [r"bert\.encoder\.layer\.[0-9]+\.(intermediate|output)\.dense|bert\.pooler\.dense|classifier", r"bert\.embeddings\..*",
          ".*attention.*"]
CODES = {"stages": STAGES, "scheme": "product", "block_size": 8, "codebook": "int8", "normalize_filters": False,
         "schemes": [{"layers": ".*attention.*", "block_size": 4}, {"layers": "classifier", "scheme": "integer"}],
         "steps": CODE_STEPS, "learning_rate": 1e-4, "warmup_steps": 4}
EXPORT = {"others": "float16", "deflate_header": True}
LOGITS, STATES = {"share": 1, "temperature": 2}, {"share": 1, "temperature": 2, "hidden": 1}
PROXY = {"function": "proxy", "rate": 0.1, "block_size": 8}


def run(*arguments):
    out = subprocess.run([command, *arguments, "--threads", "1", "--json"], check=True, capture_output=True).stdout
    return json.loads(out)


def recipe(name, **parts):
    path = work / f"{name}.json"
    path.write_text(json.dumps({"seed": seed, **parts}, indent=1))
    return str(path)


def trained(name, file, **parts):
    """The network of a recipe, made once."""
    path, model = recipe(name, **parts), work / name / file
    if not model.exists():
        run("train", path, "--output", str(work / name))
    return model


def quantized(name, model, scheme, *more):
    small = work / f"{name}.safetensors"
    if not small.exists():
        run("quantize", str(model), "--scheme", scheme, "--half", *more, "--output", str(small))
    return small


rows = []


def judge(name, make, judged_by=None):
    if options.only and rows and not any(word in name for word in options.only):
        return
    model = make()
    figures = run("evaluate", str(model), judged_by or judging)["figures"]
    rows.append((name, model.stat().st_size, 100 * figures["accuracy"], figures["loss"]))
    print(rows[-1], flush=True)


initial = str(minilm / "all-minilm-l6-v2-fp16.safetensors")
judging = recipe("judge", task=task)
tuned = work / "float/model.safetensors"
judge("float, fine-tuned", lambda: trained("float", "model.safetensors", task={**task, "weights": initial},
                                           training={**steps, "steps": SENTENCES // 16, "learning_rate": 1e-4, "warmup_steps": 30}))
from_tuned = {**task, "weights": str(tuned)}
lines = work / "texts.txt"
lines.write_text("\n".join(line.split("\t")[0] for line in (data / texts).read_text().splitlines()[1:]))
by_texts = ["--texts", str(lines), "--config", str(minilm / "config.json")]
for word, scheme, how in [("int8", "int8", "int8"), ("int4", "int4", "int4"), ("levels of 4 bits", "levels4", "levels4"),
                          ("products 8/4/8", PRODUCTS, "products")]:
    judge(f"{word}, after training", lambda: quantized(f"{how}-plain", tuned, scheme))
    judge(f"{word}, after training, with 128 texts", lambda: quantized(f"{how}-texts", tuned, scheme, *by_texts))
training = {**steps, "steps": NOISE_STEPS, "learning_rate": 1e-4, "warmup_steps": 10}
for bits in (8, 4):
    for kind, rate in (("QAT", 1), ("Quant-Noise of rate .5", 0.5)):
        noise = {"function": "integer", "bits": bits, "granularity": "per-channel", "range": "mse", "rate": rate}

        def make():
            name = f"int{bits}-rate-{rate}"
            noised = trained(name, "model.safetensors", task=from_tuned, training=training, noise=noise, teacher=LOGITS)
            return quantized(f"{name}-file", noised, f"int{bits}")
        judge(f"int{bits}, {NOISE_STEPS} steps of {kind}", make)
FILE = "model.compact.safetensors"
after = f"3 × {CODE_STEPS} steps with codes"
for name, words, parts in [
        ("ipq-logits", f"products 8/4/8, {after}", {"training": {**steps, "epochs": 0}, "teacher": LOGITS}),
        ("ipq-states", f"products 8/4/8, {after}, the teacher's states too", {"training": {**steps, "epochs": 0}, "teacher": STATES}),
        ("ipq-noise", f"products 8/4/8, {NOISE_STEPS} steps of Quant-Noise, then {after}, states too",
         {"training": training, "noise": PROXY, "teacher": STATES}),
        ("ipq-qat", f"products 8/4/8, {NOISE_STEPS} steps of QAT, then {after}, states too",
         {"training": training, "noise": {"function": "product", "rate": 1, "block_size": 8, "refresh_steps": 60}, "teacher": STATES})]:
    judge(words, lambda: trained(name, FILE, task=from_tuned, ipq=CODES, export=EXPORT, **parts))
shared = {**from_tuned, "share_adjacent": True}
pruned = {"task": {**shared, "layer_drop": 0.2}, "pruning": {"keep_every": 2}}
judge(f"products 8/4/8 of pairs of shared layers, one of three pairs pruned, {SENTENCES // 16} steps of Quant-Noise, then {after}",
      lambda: trained("ipq-shared-pruned", FILE, training={**training, "steps": SENTENCES // 16}, noise=PROXY,
                      teacher={**STATES, "share_adjacent": False}, ipq=CODES, export=EXPORT, **pruned), recipe("judge-pruned", **pruned))

if not options.only:
    first = rows[0]
    error = 100 * (first[2] / 100 * (1 - first[2] / 100) / {"sst2": 872, "sick": 500}[options.set]) ** 0.5
    text = f"""MiniLM-L6 on {title}, seed {seed}.
One seed: an accuracy has a standard error of {error:.1f} points. The float network is the teacher of all that is trained with it.

| network | bytes | times fewer | accuracy, % | against float | cross-entropy |
|---|---|---|---|---|---|
"""
    for name, size, accuracy, loss in rows:
        text += f"| {name} | {size:,} | {first[1] / size:.1f} | {accuracy:.1f} | {accuracy - first[2]:+.1f} | {loss:.3f} |\n"
    (pathlib.Path(__file__).parent / table).write_text(text)
