"""Quant-Noise in miniature: what noise, codes and the parts of the recipe are worth, on a ResNet-20 and a small Transformer.

    build/venv/bin/python experiments/quant-noise/run.py front table ablation language scratch

from the project's root, after ./dev build; the environment is that of bench/requirements.txt. Every run is a recipe of `parsimony train`; its figures are a line of
build/quant-noise/results.jsonl, and what is there is not run again. The tables are table.md and front.png beside this file:
means over the seeds with 95 % intervals (Student's t); bytes are those of the file on disk.

`choose` compares schemes on 2,500 training images that no run here is trained on (the published weights were); nothing was
chosen by test images. After a change of a float network's recipe remove its folder and results.jsonl.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import math
import pathlib
import statistics
import subprocess
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "build/quant-noise"
DATA = ROOT.parent / "shared/data"
RESULTS = WORK / "results.jsonl"
SEEDS = [1, 2, 3]
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}  # the 97.5 % quantile by the number of seeds
HELD_OUT = 250  # of each class

# ---- ResNet-20 on the JPEGs of CIFAR-10

IMAGES = {"kind": "images", "archive": str(WORK / "cifar10.zip")}
PUBLISHED = DATA / "networks/resnet20-cifar10.safetensors"
FLOAT = {"seed": 1, "task": {**IMAGES, "weights": str(PUBLISHED)},
         "training": {"epochs": 3, "batch_size": 128, "bfloat16": True, "learning_rate": 0.05, "decay": "linear",
                      "nesterov": False, "weight_decay": 1e-4}}
ADAM = {"optimizer": "adamw", "beta2": 0.99, "warmup_steps": 20}


def integers(layers, bits):
    return {"layers": layers, "scheme": "integer", "bits": bits}


def products(layers, block, centroids, **more):
    return {"layers": layers, "block_size": block, "centroids": centroids,
            **({} if block == 9 else {"layout": "input-channels"}), **more}


def widths(first, second, third):
    """The layers of 16, 32 and 64 channels; what is at the ends is small."""
    return [integers("conv1|linear", 8)] + [scheme(rf"layer{i + 1}\..*") for i, scheme in enumerate((first, second, third))]


def bits(count):
    return lambda layers: integers(layers, count)


def codes(block, centroids):
    return lambda layers: products(layers, block, centroids)


SCHEMES = {
    "14 a": widths(bits(3), codes(4, 256), codes(4, 256)),
    "14 b": widths(bits(3), bits(3), codes(4, 128)),
    "14 c": widths(bits(4), codes(4, 512), codes(4, 256)),
    "14 d": widths(bits(4), bits(3), codes(4, 128)),
    "20 a": widths(codes(4, 256), codes(4, 256), codes(9, 512)),
    "20 b": widths(bits(3), codes(4, 128), codes(9, 512)),
    "20 c": widths(bits(3), codes(4, 512), codes(9, 256)),
    "20 d": widths(bits(4), codes(4, 512), codes(9, 256)),
    "26 a": widths(codes(9, 128), codes(9, 256), codes(9, 256)),
    "26 b": widths(codes(4, 64), codes(9, 256), codes(9, 256)),
    "26 c": widths(codes(4, 128), codes(9, 256), codes(9, 256)),
}
FRONT = {"≥ 14 ×": "14 a", "≥ 20 ×": "20 a", "≥ 26 ×": "26 c"}
FRONT_STEPS = 1000
NOISE_STEPS, CODE_STEPS, ABLATION_STEPS = 150, 150, 150


def resnet(seed, steps, ipq, training=None, split="test", teacher=True, **more):
    """A network in codes that the float one teaches; `steps` with codes."""
    recipe = {"seed": seed, "task": {**IMAGES, "test_split": split, "weights": str(WORK / "float/model.safetensors")},
              "training": {"epochs": 0, "batch_size": 128, "bfloat16": True, "recalibration_batches": 32, **(training or {})},
              "ipq": {"stages": [".*"], "codebook": "int8", "shared_codebook": True, "latent_weights": True, **ADAM,
                      "learning_rate": 2e-3, "steps": steps, "epochs": 0, **ipq},
              "export": {"deflate_header": True, "fold_statistics": True}, **more}
    if teacher:
        recipe["teacher"] = {"temperature": 2}
    return recipe


INT8, INT4 = ({"function": "integer", "bits": n, "granularity": "per-channel"} for n in (8, 4))
KERNELS = {"function": "product", "block_size": 9, "centroids": 256, "refresh_steps": 50, "layers": r"layer\d.*"}
ONE_SCHEME = {  # name: codes, steps with them, noises
    "int8": ({"scheme": "integer", "bits": 8}, 0, {"QAT": {**INT8, "rate": 1}, "Quant-Noise": {**INT8, "rate": 0.5}}),
    "int4": ({"scheme": "integer", "bits": 4}, 0, {"QAT": {**INT4, "rate": 1}, "Quant-Noise": {**INT4, "rate": 0.5}}),
    "iPQ": ({"latent_weights": False, "schemes": widths(codes(9, 256), codes(9, 256), codes(9, 256))}, CODE_STEPS,
            {"QAT": {**KERNELS, "rate": 1}, "Quant-Noise": {**KERNELS, "rate": 0.1}}),
}


def table_runs(seed):
    for kind, (ipq, steps, noises) in ONE_SCHEME.items():
        for name, noise in {"post-training": None, **noises}.items():
            more = {"noise": noise} if noise else {}
            training = {"steps": NOISE_STEPS, **ADAM, "learning_rate": 1e-3}
            yield f"{kind}, {name}", resnet(seed, steps, ipq, training, **more)


def ablation_runs(seed):
    schemes, steps = {"schemes": SCHEMES[FRONT["≥ 26 ×"]]}, ABLATION_STEPS
    four, weighted = {"schemes": SCHEMES[FRONT["≥ 14 ×"]]}, {"importance_batches": 8}
    yield "all of the recipe", resnet(seed, steps, schemes)
    yield "codes stay: centroids alone are trained", resnet(seed, steps, {**schemes, "latent_weights": False})
    yield "labels instead of the teacher", resnet(seed, steps, schemes, teacher=False)
    yield "no recalibration", resnet(seed, steps, schemes, {"recalibration_batches": 0})
    yield "errors weighted by activations", resnet(seed, steps, {**schemes, **weighted})
    yield "without training", resnet(seed, 0, schemes)
    yield "without training, no recalibration", resnet(seed, 0, schemes, {"recalibration_batches": 0})
    yield "without training, errors weighted by activations", resnet(seed, 0, {**schemes, **weighted})
    yield "blocks of four: the scheme at 14 ×", resnet(seed, steps, four)
    yield "blocks of four, channels permuted", resnet(seed, steps, {"permute_channels": True, **four})


AGAINST = {row: base for base, rows in {
    "all of the recipe": ["codes stay: centroids alone are trained", "labels instead of the teacher", "no recalibration",
                          "errors weighted by activations", "without training"],
    "without training": ["without training, no recalibration", "without training, errors weighted by activations"],
    "blocks of four: the scheme at 14 ×": ["blocks of four, channels permuted"]}.items() for row in rows}


# ---- a Transformer on the Brown corpus

TEXT = {"kind": "language", "text": str(DATA / "text/brown.txt"), "encoder": str(DATA / "text/encoder.json"),
        "merges": str(DATA / "text/vocab.bpe"), "max_vocabulary": 2048, "layers": 6, "width": 128, "heads": 4,
        "feed_forward": 512, "context": 64}
TEXT_ADAM = {"optimizer": "adamw", "beta2": 0.98}
LANGUAGE_FLOAT = {"seed": 1, "task": TEXT, "training": {"steps": 1200, "batch_size": 16, **TEXT_ADAM, "learning_rate": 3e-3,
                                                        "warmup_steps": 100, "clip_norm": 1}}
TEXT_NOISE_STEPS, TEXT_CODE_STEPS, SCRATCH_STEPS = 150, 50, 600
PRODUCTS8 = {"function": "product", "block_size": 8, "centroids": 256, "refresh_steps": 100}
LANGUAGE_SCHEMES = {
    "int8": ({"scheme": "integer", "bits": 8, "stages": [".*"]}, 0, {"QAT": {**INT8, "rate": 1}, "Quant-Noise": {**INT8, "rate": 0.5}}),
    "int4": ({"scheme": "integer", "bits": 4, "stages": [".*"]}, 0, {"QAT": {**INT4, "rate": 1}, "Quant-Noise": {**INT4, "rate": 0.5}}),
    "iPQ": ({"block_size": 8, "codebook": "int8", "shared_codebook": True,
             "schemes": [{"layers": r".*attention\..*", "block_size": 4}]}, TEXT_CODE_STEPS,
            {"QAT": {**PRODUCTS8, "rate": 1}, "Quant-Noise": {**PRODUCTS8, "rate": 0.05}}),
}


def with_codes(base, kinds):
    """Each scheme of `kinds` after `base` with the noise of each row."""
    for kind in kinds:
        ipq, steps, noises = LANGUAGE_SCHEMES[kind]
        for name, noise in {"post-training": None, **noises}.items():
            yield f"{kind}, {name}", {
                **base, **({"noise": noise} if noise else {}),
                "ipq": {**ipq, **TEXT_ADAM, "learning_rate": 1e-3, "warmup_steps": 10, "clip_norm": 1,
                        "steps": steps, "epochs": 0}}


def language_runs(seed):
    base = {"seed": seed, "task": {**TEXT, "weights": str(WORK / "language/model.safetensors")},
            "training": {"steps": TEXT_NOISE_STEPS, "batch_size": 16, **TEXT_ADAM, "learning_rate": 1e-3, "warmup_steps": 20,
                         "clip_norm": 1}}
    yield "float32, trained on as long", base
    yield from with_codes(base, ["int8", "int4", "iPQ"])


def scratch_runs(seed):
    """Noise from the first step on, as in the paper."""
    training = {**LANGUAGE_FLOAT["training"], "steps": SCRATCH_STEPS}
    yield from with_codes({"seed": seed, "task": TEXT, "training": training}, ["iPQ"])


# ---- runs

PARTS = {
    "front": lambda seed: ((target, resnet(seed, FRONT_STEPS, {"schemes": SCHEMES[name]})) for target, name in FRONT.items()),
    "table": table_runs,
    "ablation": ablation_runs,
    "language": language_runs,
    "scratch": scratch_runs,
    "choose": lambda _: ((name, resnet(11, 100, {"schemes": s}, split="held_out")) for name, s in SCHEMES.items()),
}


def runs(part, seeds=SEEDS):
    """Recipes with the row that they count for."""
    return [run for seed in (seeds[:1] if part == "choose" else seeds) for run in PARTS[part](seed)]


def identity(recipe):
    return json.dumps(recipe, sort_keys=True).replace(str(ROOT.parent), "..")


def load():
    text = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    return {line["run"]: line["figures"] for line in map(json.loads, text)}


def carry_out(program, recipe, folder):
    """The figures of a recipe, and the bytes of the file that it makes; of one that was broken off the rest is made."""
    report = folder / "report.json"
    text = json.dumps(recipe, indent=1)
    if report.exists() and (folder / "recipe.json").read_text(encoding="utf-8") != text:
        raise RuntimeError(f"{folder}: was made by another recipe; remove it")
    if not report.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "recipe.json").write_text(text, encoding="utf-8")
        done = subprocess.run([program, "train", folder / "recipe.json", "--output", folder, "--threads", "1", "--quiet"],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
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
    mean = statistics.mean(values)
    if len(values) < 2:
        return f"{mean:.{digits}f} (one seed)"
    return f"{mean:.{digits}f} ± {STUDENT[len(values)] * statistics.stdev(values) / math.sqrt(len(values)):.{digits}f}"


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
    """What one noise gives over another at the same seeds."""
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
    text = ["`experiments/quant-noise/run.py front table ablation language scratch`: means over the seeds ± half of the 95 % interval; bytes",
            "are those of the file on disk. Activations are floats everywhere. Steps compute in bfloat16 (images) or float32",
            "(text), evaluation in float32, from what the file holds."]
    if identity(FLOAT) in known:
        base, whole = 100 * known[identity(FLOAT)]["accuracy"], PUBLISHED.stat().st_size
        text += ["", "# ResNet-20 on the JPEGs of CIFAR-10", "",
                 f"The float network, three epochs from the published weights on 47,500 training images, has {base:.2f} % of the 10,000 test",
                 f"images in {whole:,} bytes. Batches of 128; where the row does not say otherwise steps are taught",
                 "by the float network."]
        for part, title in {
                "front": f"## The front\n\nSchemes of `FRONT` and `SCHEMES`, {FRONT_STEPS} steps.",
                "table": f"## Noise, quantization-aware training, or neither\n\n{NOISE_STEPS} steps with the noise of the row (post-training: "
                         f"without), then codes; of iPQ {CODE_STEPS}\nsteps more on the centroids.",
                "ablation": f"## What each part brings\n\nThe scheme of the front at 26 × and {ABLATION_STEPS} steps, where the row says nothing else."}.items():
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
                 f"bytes. Codes of iPQ come in three stages of {TEXT_CODE_STEPS} steps. By labels."]
        for part, title in {
                "language": f"## Noise in {TEXT_NOISE_STEPS} steps more\n\nPost-training: the same steps without noise.",
                "scratch": f"## Noise from the first step on\n\n{SCRATCH_STEPS} steps with the noise of the row; each seed is a network of its own."
        }.items():
            found = rows(part, known)
            if found:
                text += ["", *title.split("\n"), *text_lines(found, float_figures["bytes"]), *paired_lines(found, "perplexity", 1)]
    (HERE / "table.md").write_text("\n".join(text) + "\n", encoding="utf-8")


def draw(known, whole, base):
    if not rows("front", known):
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4.2))
    axes.axhline(base, color="gray", linewidth=1, linestyle="--", label=f"float32, {whole / 1e3:,.0f} kB")
    for part, label, marker in (("table", "one scheme for all layers, short training", "s"), ("front", "mixed schemes", "o")):
        points = sorted((statistics.mean(f["bytes"] for f in fs.values()), [100 * f["accuracy"] for f in fs.values()]) for fs in rows(part, known).values())
        if not points:
            continue
        means = [statistics.mean(values) for _, values in points]
        axes.errorbar([size / 1e3 for size, _ in points], means,
                      yerr=[[m - min(v) for m, (_, v) in zip(means, points)], [max(v) - m for m, (_, v) in zip(means, points)]],
                      marker=marker, linestyle="-" if part == "front" else "", capsize=3, label=label)
    axes.set_xscale("log")
    ticks = [40, 55, 80, 150, 300]
    axes.set_xticks(ticks, [str(t) for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel("kB on disk (bars: least and largest of the seeds)")
    axes.set_ylabel("accuracy, %")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(HERE / "front.png", dpi=110)


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
