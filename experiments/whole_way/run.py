#!/usr/bin/env python3
"""The whole way of the paper for its three networks, from random weights: run.py BUILD DATA WORK [NAME…]

Quantization noise (with dropped and shared layers), pruning, product codes in three stages with int8 codebooks: one recipe
of examples/recipes each, a few dozen steps. Every recipe runs once without interruption, and once more with three kills
(SIGKILL after a checkpoint); both files must be equal. Writes table.md if all three networks ran. BUILD is a build folder,
DATA the data folder (docs/data.md), WORK a folder with 10 GB of space."""

import collections
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

BUILD, DATA, WORK = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
PARSIMONY, RECIPES = BUILD / "cli/parsimony", drive.ROOT / "examples/recipes"
NETWORKS = {  # the recipe, the bytes that its file may have, the bytes of the float network
    "roberta": ("roberta-base-58-times-smaller", 8_900_000, 498_615_900),
    "lm": ("language-model-97-times-smaller", 10_400_000, 987_771_344),
    "efficientnet": ("efficientnet-b3-14-times-smaller", 3_440_000, 49_300_000),
}
KILLS = 3
ROBERTA = {"model_type": "roberta", "vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1,
           "num_hidden_layers": 12, "hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072,
           "layer_norm_eps": 1e-5, "pad_token_id": 1, "hidden_act": "gelu"}


def prepare_roberta():
    """Byte pairs with RoBERTa's special tokens: only the order of its words is not RoBERTa's, which random weights ignore."""
    folder = WORK / "roberta-base"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(ROBERTA))
    names = ["<s>", "<pad>", "</s>", "<unk>", *json.loads((DATA / "text/encoder.json").read_text()), "<mask>"]
    (folder / "vocab.json").write_text(json.dumps({name: number for number, name in enumerate(names)}))
    shutil.copyfile(DATA / "text/vocab.bpe", folder / "merges.txt")
    for name in ("sick-train.tsv", "sick-dev.tsv"):
        shutil.copyfile(DATA / "text" / name, WORK / name)


def prepare_lm():
    """Brown, its words as a dictionary, and 1,000 words of WikiText-2 to judge by."""
    text = (DATA / "text/brown.txt").read_text()
    counts = collections.Counter(text.split())
    (WORK / "text.txt").write_text(text)
    (WORK / "dict.txt").write_text("".join(f"{word} {count}\n" for word, count in counts.most_common()))
    words = (DATA / "text/wikitext-2-valid.txt").read_text().split()[:1000]
    (WORK / "held-out.txt").write_text(" ".join(words) + "\n")


def prepare_efficientnet():
    """Every 25th training picture of CIFAR-10 (JPEG) and every 20th of the others."""
    with zipfile.ZipFile(DATA / "networks/cifar10-jpeg.zip") as source, zipfile.ZipFile(WORK / "cifar10-part.zip", "w") as out:
        for split, every in (("train/", 25), ("test/", 20)):
            names = sorted(name for name in source.namelist() if name.startswith(split) and name.endswith(".jpg"))
            for name in names[::every]:
                out.writestr(name, source.read(name))


def command(recipe, folder):
    return [PARSIMONY, "train", recipe, "--output", folder, "--threads", "1", "--json", "-q"]


def killed_run(recipe, folder):
    """Runs until the file is there; the first KILLS processes are killed one after the other when a new checkpoint is."""
    checkpoint, steps = folder / "train.checkpoint", []
    for _ in range(KILLS):
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        child = subprocess.Popen([str(word) for word in command(recipe, folder)], stdout=subprocess.DEVNULL)
        while child.poll() is None and (not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before):
            time.sleep(0.05)
        time.sleep(1)  # some steps later
        if child.poll() is not None:
            break
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        steps.append(checkpoint.stat().st_mtime_ns)
    return len(steps), drive.measure(*command(recipe, folder))


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in sys.argv[4:] or NETWORKS:
        stem, limit, floats = NETWORKS[name]
        globals()[f"prepare_{name}"]()
        recipe = WORK / f"{stem}.json"
        shutil.copyfile(RECIPES / recipe.name, recipe)
        whole, parts = WORK / f"{name}-whole", WORK / f"{name}-killed"
        for folder in (whole, parts):
            shutil.rmtree(folder, ignore_errors=True)
        run = drive.measure(*command(recipe, whole))
        kills, _ = killed_run(recipe, parts)
        files = [folder / "model.compact.safetensors" for folder in (whole, parts)]
        equal = len({hashlib.sha256(file.read_bytes()).hexdigest() for file in files}) == 1
        size = files[0].stat().st_size
        report = json.loads((whole / "report.json").read_text())
        losses = report["objective_history"]
        figures = ", ".join(f"{key} {value:.4g}" for key, value in report["figures"].items() if isinstance(value, float))
        rows.append(f"| {stem} | {report['iterations']} | {size:,} | {floats / size:.1f} | {limit:,} | {kills} kills: "
                    f"{'equal' if equal else '**other bytes**'} | {run.cpu / 60:.1f} | {run.memory:.0f} | {figures} |")
        print(rows[-1], losses, flush=True)
        if not equal or size > limit:
            sys.exit(f"{name}: the file has {size} bytes, {'equal' if equal else 'not equal'} after {kills} kills")
    if len(rows) < len(NETWORKS):
        return
    pathlib.Path(__file__).with_name("table.md").write_text(f"{HEAD}{chr(10).join(rows)}\n")


HEAD = """# The whole way of the paper in one recipe each

From random weights: quantization noise (for the Transformers with dropped layers, and pairs of layers that share their
weights), then every other pair of layers left out, then product codes in three stages with int8 codebooks. A few dozen
steps: it shows that the parts work together, at the sizes of the paper's networks; the figures are those of networks that
learned next to nothing. Each recipe ran a second time with SIGKILL after checkpoints, and gave the same bytes.

    python experiments/whole_way/run.py build/release DATA WORK

| recipe | steps | bytes | times fewer | allowed | killed and resumed | CPU minutes | MiB | figures |
|---|---|---|---|---|---|---|---|---|
"""

if __name__ == "__main__":
    main()
