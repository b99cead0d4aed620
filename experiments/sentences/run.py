"""MiniLM on sentences: fine-tuned, then in codes after training, by QAT and by Quant-Noise. Writes the table of a set from all
seeds in WORK.

    python experiments/sentences/run.py BUILD DATA WORK [--set sst2|sick] [--seed N] [--only WORD…] [--finished]

BUILD is a build folder, DATA the data folder (docs/data.md), WORK a folder for networks: finished ones are not made again,
nor judged again. A seed of a set takes about 55 CPU minutes. --only prints the rows whose names have one of the words (and
the float network), and leaves the table as it is. --finished makes no network, and writes the table of those that are there.
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
parser.add_argument("--set", choices=["sst2", "sick"], default="sst2")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--only", nargs="*", default=[])
parser.add_argument("--finished", action="store_true")
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
STUDENT = {2: 12.71, 3: 4.303, 4: 3.182, 5: 2.776}  # by the number of seeds
PRODUCTS = "ffn=pq8,embedding=pq8,attention=pq4,classifier=int8,*=int8"
STAGES = [r"bert\.encoder\.layer\.[0-9]+\.(intermediate|output)\.dense|bert\.pooler\.dense|classifier", r"bert\.embeddings\..*",
          ".*attention.*"]
CODES = {"stages": STAGES, "scheme": "product", "block_size": 8, "codebook": "int8", "normalize_filters": False,
         "schemes": [{"layers": ".*attention.*", "block_size": 4}, {"layers": "classifier", "scheme": "integer"}],
         "steps": CODE_STEPS, "learning_rate": 1e-4, "warmup_steps": 4}
# Attention, in blocks of four, loses next to nothing; so the bytes that a file 22 times smaller may have more go to the others.
FINE = {**CODES, "centroids": 1024,
        "schemes": [{"layers": ".*attention.*", "block_size": 4, "centroids": 256}, CODES["schemes"][1]]}
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


class NotFinished(Exception):
    pass


def made(model, *command_line):
    """The file that a command writes, made once."""
    if not model.exists():
        if options.finished:
            raise NotFinished
        run(*command_line)
    return model


def trained(name, file, **parts):
    return made(work / name / file, "train", recipe(name, **parts), "--output", str(work / name))


def quantized(name, model, scheme, *more):
    small = work / f"{name}.safetensors"
    return made(small, "quantize", str(model), "--scheme", scheme, "--half", *more, "--output", str(small))


rows = []


def judge(name, make, judged_by=None):
    if options.only and rows and not any(word in name for word in options.only):
        return
    try:
        model = make()
    except NotFinished:
        return
    known = model.with_suffix(".figures.json")
    if not known.exists() or known.stat().st_mtime < model.stat().st_mtime:
        known.write_text(json.dumps(run("evaluate", str(model), judged_by or judging)["figures"]))
    figures = json.loads(known.read_text())
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
NONE = {"training": {**steps, "epochs": 0}}
ONE_STAGE = {"stages": [".*"], "steps": 3 * CODE_STEPS, "warmup_steps": 12}
QAT = {"function": "product", "rate": 1, "block_size": 8, "refresh_steps": 60}
for kind, words, codes in [("ipq-fine", "products 8/4/8, 1,024 centroids but for attention", FINE),
                           ("ipq", "products 8/4/8", CODES)]:
    for name, how, parts, changes in [
            ("plain", "after training", NONE, {"steps": 0, "epochs": 0}),
            ("logits", after, {**NONE, "teacher": LOGITS}, {}),
            ("states", f"{after}, the teacher's states too", {**NONE, "teacher": STATES}, {}),
            ("one", f"{3 * CODE_STEPS} steps with all codes, states too", {**NONE, "teacher": STATES}, ONE_STAGE),
            ("latent", f"{3 * CODE_STEPS} steps with all codes, which change, states too", {**NONE, "teacher": STATES},
             {**ONE_STAGE, "latent_weights": True}),
            ("noise", f"{NOISE_STEPS} steps of Quant-Noise, then {after}, states too",
             {"training": training, "noise": PROXY, "teacher": STATES}, {}),
            ("qat", f"{NOISE_STEPS} steps of QAT, then {after}, states too",
             {"training": training, "noise": QAT, "teacher": STATES}, {})]:
        judge(f"{words}, {how}", lambda: trained(f"{kind}-{name}", FILE, task=from_tuned, ipq={**codes, **changes}, export=EXPORT,
                                                 **parts))
shared = {**from_tuned, "share_adjacent": True}
pruned = {"task": {**shared, "layer_drop": 0.2}, "pruning": {"keep_every": 2}}
judge(f"products 8/4/8 of pairs of shared layers, one of three pairs pruned, {SENTENCES // 16} steps of Quant-Noise, then {after}",
      lambda: trained("ipq-shared-pruned", FILE, training={**training, "steps": SENTENCES // 16}, noise=PROXY,
                      teacher={**STATES, "share_adjacent": False}, ipq=CODES, export=EXPORT, **pruned), recipe("judge-pruned", **pruned))

if not options.only:
    (work / "rows.json").write_text(json.dumps(rows))
    by_name = {}  # the rows of all seeds in WORK, each with the float network of its seed
    for file in sorted(work.parent.glob(f"{options.set}-*/rows.json")):
        of_seed = json.loads(file.read_text())
        for name, size, accuracy, loss in of_seed:
            by_name.setdefault(name, []).append((size, accuracy, loss, of_seed[0][1], accuracy - of_seed[0][2]))
    right = rows[0][2] / 100
    error = 100 * (right * (1 - right) / {"sst2": 872, "sick": 500}[options.set]) ** 0.5
    text = f"""MiniLM-L6 on {title}; means over the seeds.
An accuracy of one seed has a standard error of {error:.1f} points. ±: half of the 95 % interval of the difference to the float
network of the same seed, which is the teacher of all that is trained with it.

| network | bytes | times fewer | accuracy, % | against float | cross-entropy | seeds |
|---|---|---|---|---|---|---|
"""
    for name, found in by_name.items():
        size, accuracy, loss, floats, difference = (statistics.mean(column) for column in zip(*found))
        interval = ""
        if len(found) in STUDENT:
            interval = f" ± {STUDENT[len(found)] * statistics.stdev(row[4] for row in found) / len(found) ** 0.5:.1f}"
        text += (f"| {name} | {size:,.0f} | {floats / size:.1f} | {accuracy:.1f} | {difference:+.1f}{interval} | {loss:.3f} | "
                 f"{len(found)} |\n")
    (pathlib.Path(__file__).parent / table).write_text(text)
