"""Quant-Noise in miniature: the effect of noise, codes and each part of the recipe, on a ResNet-20 and a small Transformer.

    build/venv/bin/python experiments/quant_noise/run.py front table ablation language scratch

from the project's root, after ./dev build, in the environment of bench/requirements.txt. Every run is a recipe of `parsimony
train` (recipes.py). Its figures are a line of build/quant_noise/results.jsonl; a run with such a line is not repeated. The
results are table.md and front.png beside this file: means over the seeds with 95 % intervals (Student's t); bytes are the size
of the file on disk.

`choose` compares schemes on 2,500 training images that no run here is trained on (the published weights were). Test images
decided nothing. After a change of a float network's recipe remove its folder and results.jsonl.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import pathlib
import statistics
import zipfile

from recipes import (AGAINST, ABLATION_STEPS, CODE_STEPS, DATA, FLOAT, FRONT_STEPS, HERE, LANGUAGE_FLOAT, NOISE_STEPS, PARTS,
                     PUBLISHED, ROOT, SCRATCH_STEPS, SEEDS, TEXT_CODE_STEPS, TEXT_NOISE_STEPS, WORK, drive, runs)

RESULTS = WORK / "results.jsonl"
HELD_OUT = 250  # images of each class


def identity(recipe):
    return json.dumps(recipe, sort_keys=True).replace(str(ROOT.parent), "..")


def load():
    text = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    return {line["run"]: line["figures"] for line in map(json.loads, text)}


def carry_out(program, recipe, folder):
    """The figures of a recipe, and the bytes of the file that it makes; an interrupted run is completed."""
    report = folder / "report.json"
    text = json.dumps(recipe, indent=1)
    if report.exists() and (folder / "recipe.json").read_text(encoding="utf-8") != text:
        raise RuntimeError(f"{folder}: was made by another recipe; remove it")
    if not report.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "recipe.json").write_text(text, encoding="utf-8")
        done = drive.execute([program, "train", folder / "recipe.json", "--output", folder, "--threads", 1, "--quiet"])
        if done.status != "ok":
            raise RuntimeError(f"{folder}: {done.status}")
    found = json.loads(report.read_text(encoding="utf-8"))
    names = ("accuracy", "loss", "perplexity", "bits_per_byte")
    return {"bytes": next(folder.glob("model.*")).stat().st_size, "seconds": sum(stage["seconds"] for stage in found["stages"]),
            **{name: found["figures"][name] for name in names if name in found["figures"]}}


def split_archive():
    """The archive with the last training images of each class in a folder of their own."""
    to = WORK / "cifar10.zip"
    if to.exists():
        return
    part = to.with_suffix(".part")
    with zipfile.ZipFile(DATA / "networks/cifar10-jpeg.zip") as source, zipfile.ZipFile(part, "w") as target:
        by_class = collections.defaultdict(list)
        for name in sorted(source.namelist()):
            if name.startswith("train/") and name.endswith(".jpg"):
                by_class[name.split("/")[1]].append(name)
        held_out = {name for names in by_class.values() for name in names[-HELD_OUT:]}
        for name in source.namelist():
            if name.endswith(".jpg"):
                target.writestr(name.replace("train/", "held_out/") if name in held_out else name, source.read(name))
    part.rename(to)


def record(recipe, figures):
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"run": identity(recipe), "figures": figures}) + "\n")


def make_float(program, recipe, name):
    if identity(recipe) not in load() or not (WORK / name / "model.safetensors").exists():
        record(recipe, carry_out(program, recipe, WORK / name))


def make(program, wanted, jobs):
    """All runs that are missing, `jobs` at a time, seed by seed."""
    known = load()
    missing = {identity(recipe): (row, recipe) for row, recipe in wanted if identity(recipe) not in known}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(carry_out, program, recipe, WORK / "runs" / hashlib.sha256(key.encode()).hexdigest()[:16]): (row, recipe)
                   for key, (row, recipe) in missing.items()}
        for future in concurrent.futures.as_completed(waiting):
            row, recipe = waiting[future]
            record(recipe, future.result())
            print(row, recipe["seed"], future.result(), flush=True)
            report()


# ---- tables

def interval(values, digits=2):
    return drive.mean(values, digits) + (" (one seed)" if len(values) == 1 else "")


def rows(part, known):
    """Figures of the seeds that are there, by row and seed."""
    found = collections.defaultdict(dict)
    for row, recipe in runs(part):
        if identity(recipe) in known:
            found[row][recipe["seed"]] = known[identity(recipe)]
    return found


def differences(found, row, base, name):
    """At the seeds that both have."""
    return [found[row][seed][name] - found[base][seed][name] for seed in found.get(row, {}) if seed in found.get(base, {})]


def image_lines(found, whole, base):
    yield from ["", "| | accuracy, % | against float | bytes | times fewer | seeds |", "|---|---|---|---|---|---|"]
    for row, of_seeds in found.items():
        figures = of_seeds.values()
        size = statistics.mean(f["bytes"] for f in figures)
        accuracies = [100 * f["accuracy"] for f in figures]
        yield (f"| {row} | {interval(accuracies)} | {statistics.mean(accuracies) - base:+.2f} | {size:,.0f} | "
               f"{whole / size:.1f} | {len(figures)} |")


def paired_lines(found, name, factor):
    """Differences between the noises at the same seeds."""
    yield from ["", f"Differences in {name} at the same seeds:", "", "| | Quant-Noise − QAT | Quant-Noise − post-training | QAT − post-training |",
                "|---|---|---|---|"]
    for kind in ("int8", "int4", "iPQ"):
        pairs = [[factor * d for d in differences(found, f"{kind}, {a}", f"{kind}, {b}", name)]
                 for a, b in (("Quant-Noise", "QAT"), ("Quant-Noise", "post-training"), ("QAT", "post-training"))]
        if all(pairs):
            yield f"| {kind} | " + " | ".join(interval(pair) for pair in pairs) + " |"


def difference_lines(found):
    yield from ["", "Differences at the same seeds:", "", "| | to | accuracy, points |", "|---|---|---|"]
    for row, base in AGAINST.items():
        points = [100 * d for d in differences(found, row, base, "accuracy")]
        if points:
            yield f"| {row} | {base} | {interval(points)} |"


def text_lines(found, whole):
    yield from ["", "| | perplexity | bits per byte | bytes | times fewer | seeds |", "|---|---|---|---|---|---|"]
    for row, of_seeds in found.items():
        figures = of_seeds.values()
        size = statistics.mean(f["bytes"] for f in figures)
        yield (f"| {row} | {interval([f['perplexity'] for f in figures])} | {statistics.mean(f['bits_per_byte'] for f in figures):.3f} | "
               f"{size:,.0f} | {whole / size:.1f} | {len(figures)} |")


def report():
    known = load()
    text = ["`experiments/quant_noise/run.py front table ablation language scratch`: means over the seeds ± half of the 95 % interval; bytes",
            "are the size of the file on disk. Activations are floats everywhere. Steps compute in bfloat16 (images) or float32",
            "(text). Evaluation uses float32 and the decoded file."]
    if identity(FLOAT) in known:
        base, whole = 100 * known[identity(FLOAT)]["accuracy"], PUBLISHED.stat().st_size
        text += ["", "# ResNet-20 on the JPEGs of CIFAR-10", "",
                 f"The float network, three epochs from the published weights on 47,500 training images, has {base:.2f} % of the 10,000 test",
                 f"images right, in {whole:,} bytes. Batches of 128. The float network is the teacher unless a row says otherwise."]
        for part, title in {
                "front": f"## The front\n\nSchemes of `FRONT` and `SCHEMES`, {FRONT_STEPS} steps.",
                "table": f"## Noise, quantization-aware training, or neither\n\n{NOISE_STEPS} steps with the noise of the row (post-training: "
                         f"without), then quantization; iPQ takes {CODE_STEPS}\nmore steps on the centroids.",
                "ablation": f"## The effect of each part\n\nThe scheme of the front at 26 × and {ABLATION_STEPS} steps, unless the row says otherwise."}.items():
            found = rows(part, known)
            if found:
                text += ["", *title.split("\n"), *image_lines(found, whole, base)]
            if part == "table" and found:
                text += paired_lines(found, "accuracy", 100)
            if part == "ablation" and found:
                text += difference_lines(found)
        draw(known, whole, base)
    if identity(LANGUAGE_FLOAT) in known:
        float_figures = known[identity(LANGUAGE_FLOAT)]
        text += ["", "# A Transformer on the Brown corpus", "",
                 "Six layers of width 128, 2,048 byte pairs, trained 1,200 steps of 16 × 64 tokens: perplexity "
                 f"{float_figures['perplexity']:.2f} in {float_figures['bytes']:,}",
                 f"bytes. iPQ quantizes in three stages of {TEXT_CODE_STEPS} steps. Labels are the target."]
        for part, title in {
                "language": f"## Noise in {TEXT_NOISE_STEPS} more steps\n\nPost-training: the same steps without noise.",
                "scratch": f"## Noise from the first step on\n\n{SCRATCH_STEPS} steps with the noise of the row; each seed trains its own network."
        }.items():
            found = rows(part, known)
            if found:
                text += ["", *title.split("\n"), *text_lines(found, float_figures["bytes"]), *paired_lines(found, "perplexity", 1)]
    (HERE / "table.md").write_text("\n".join(text) + "\n", encoding="utf-8")


def draw(known, whole, base):
    if not rows("front", known):
        return
    series = []
    for part, label, marker in (("table", "one scheme for all layers, short training", "s"), ("front", "mixed schemes", "o")):
        points = [(statistics.mean(f["bytes"] for f in fs.values()) / 1e3, [100 * f["accuracy"] for f in fs.values()])
                  for fs in rows(part, known).values()]
        if points:
            series.append((label, marker, part == "front", points))
    drive.draw_front(HERE / "front.png", (f"float32, {whole / 1e3:,.0f} kB", base), series,
                     "kB on disk (bars: least and largest of the seeds)", "accuracy, %", [40, 55, 80, 150, 300])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=[*PARTS, "float"])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/cli/parsimony")
    parser.add_argument("--seeds", type=int, nargs="+", choices=SEEDS, default=SEEDS, help="of these alone")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each of one thread")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    if set(options.parts) - {"language", "scratch"}:
        split_archive()
        make_float(options.program, FLOAT, "float")
    if {"language", "scratch"} & set(options.parts):
        make_float(options.program, LANGUAGE_FLOAT, "language")
    make(options.program, [run for part in options.parts if part != "float" for run in runs(part, options.seeds)], options.jobs)
    report()


if __name__ == "__main__":
    main()
