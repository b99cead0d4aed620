"""MiniLM on SST-2: fine-tuned, then in codes after training and with training. Writes table.md.

    python experiments/sentences/run.py build/release DATA WORK [SEED]

DATA is the data folder (docs/data.md), WORK a folder for networks: finished ones are not made again. A seed takes about
20 CPU minutes.
"""

import json
import pathlib
import subprocess
import sys

build, data, work = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
seed = int(sys.argv[4]) if len(sys.argv) > 4 else 0
work.mkdir(parents=True, exist_ok=True)
command = str(build / "cli/parsimony")
glue, minilm = data / "text/glue/SST-2", data / "minilm"

SENTENCES = 5120
task = {"kind": "sentences", "texts": str(glue / "train_full.tsv"), "held_out": str(glue / "dev.tsv"),
        "texts_used": SENTENCES, "tokenizer": str(minilm), "config": str(minilm / "config.json"), "max_length": 64}
steps = {"batch_size": 16, "optimizer": "adamw"}
PRODUCTS = "ffn=pq8,embedding=pq8,attention=pq4,classifier=int8,*=int8"
SCHEMES = [("int8", "int8"), ("int4", "int4"), ("levels of 4 bits", "levels4"), ("products 8/4/8", PRODUCTS)]


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


rows = []


def judge(name, model):
    figures = run("evaluate", str(model), judging)["figures"]
    size = model.stat().st_size
    rows.append((name, size, 100 * figures["accuracy"], figures["loss"]))
    print(rows[-1], flush=True)


initial = str(minilm / "all-minilm-l6-v2-fp16.safetensors")
judging = recipe("judge", task=task)
tuned = trained("float", "model.safetensors", task={**task, "weights": initial},
                training={**steps, "steps": SENTENCES // 16, "learning_rate": 1e-4, "warmup_steps": 30})
judge("float, fine-tuned", tuned)
texts = work / "texts.txt"
texts.write_text("\n".join(line.split("\t")[0] for line in (glue / "train_full.tsv").read_text().splitlines()[1:]))
for title, scheme in SCHEMES:
    for kind in ("plain", "texts"):
        small = work / f"{scheme.split('=')[0]}-{kind}.safetensors"
        if not small.exists():
            by_texts = ["--texts", str(texts), "--config", str(minilm / "config.json")] if kind == "texts" else []
            run("quantize", str(tuned), "--scheme", scheme, "--half", *by_texts, "--output", str(small))
        judge(f"{title}, after training" + (", with 128 texts" if kind == "texts" else ""), small)
STAGES = [r"bert\.encoder\.layer\.[0-9]+\.(intermediate|output)\.dense|bert\.pooler\.dense|classifier", r"bert\.embeddings\..*",
          ".*attention.*"]
codes = {"stages": STAGES, "scheme": "product", "block_size": 8, "codebook": "int8", "normalize_filters": False,
         "schemes": [{"layers": ".*attention.*", "block_size": 4}, {"layers": "classifier", "scheme": "integer"}]}
for name, title, count in [("ipq", "products 8/4/8, 3 × 15 steps with the float network as teacher", 15)]:
    small = trained(name, "model.compact.safetensors", task={**task, "weights": str(tuned)},
                    training={**steps, "epochs": 0}, teacher={"share": 1, "temperature": 2},
                    ipq={**codes, "steps": count, "learning_rate": 1e-4, "warmup_steps": 4},
                    export={"others": "float16", "deflate_header": True})
    judge(title, small)

first = rows[0]
text = f"""MiniLM-L6 on the 872 sentences of SST-2's `dev.tsv`, fine-tuned on {SENTENCES} sentences of its training part, seed {seed}.
One seed: an accuracy has a standard error of 1.3 points.

| network | bytes | times fewer | accuracy, % | against float | cross-entropy |
|---|---|---|---|---|---|
"""
for name, size, accuracy, loss in rows:
    text += f"| {name} | {size:,} | {first[1] / size:.1f} | {accuracy:.1f} | {accuracy - first[2]:+.1f} | {loss:.3f} |\n"
(pathlib.Path(__file__).parent / "table.md").write_text(text)
