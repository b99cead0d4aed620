"""EfficientNet-Lite0 on pictures of ImageNet in 2.8, 2.0 and 1.5 MB: trained with its codes, beside the same bytes without training.

    python experiments/efficientnet/trained.py WORK [SIZE…] [--seeds N…] [--steps N] [--finished]
    python experiments/efficientnet/trained.py WORK --choose [WORD…]                     # the probes that chose the recipe

after ./dev build. 800 steps take about 20 CPU minutes for a size and seed. WORK is a folder for networks: finished ones are
not made again, interrupted ones go on. Each network is made by a recipe of `parsimony train`: noise on the weights, then
product codes and integers, whose weights and codes follow the float network's outputs and the values between its blocks.
Training, calibration and choices use train-1000.zip alone (PARSIMONY_DATA, by default ../shared/data); all of val-650.zip is
judged. Writes trained.md and, with Matplotlib, front.png, from all networks in WORK; --finished makes none.
"""

import argparse
import json
import pathlib
import re
import statistics
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "bench"))
import drive  # noqa: E402

MODEL = drive.DATA / "networks/efficientnet_lite0.safetensors"
TRAIN, JUDGED = drive.DATA / "imagenet/train-1000.zip", drive.DATA / "imagenet/val-650.zip"
NETWORK = "efficientnet-lite0"
HELD_OUT = 4  # every fourth training picture judges the probes
POINTWISE = r"blocks\..*\.conv_pwl?|conv_head"


def integers(layers, bits):
    return {"layers": layers, "scheme": "integer", "bits": bits}


def products(layers, code):
    return {"layers": layers, "block_size": code[0], "centroids": code[1]}


# The layers in groups, each with one scheme (bits, or weights in a block and centroids). A group has the more bits the fewer
# weights its layers have, and the more the network suffers from an error: most in depthwise convolutions and in those that end
# a block, as docs/quantizing.md says of a budget.
def schemes(kernels3, kernels5, early_out, early_in, late_out, last_out, late_in, wide_in, head, classifier):
    return [integers("conv_stem", 8), integers(r"blocks\.[0136]\..*\.conv_dw", kernels3), integers(r".*\.conv_dw", kernels5),
            integers(r"blocks\.0\.0\.conv_pw|blocks\.[123]\..*\.conv_pwl", early_out),
            integers(r"blocks\.[123]\..*\.conv_pw", early_in), products(r"blocks\.[45]\..*\.conv_pwl", late_out),
            products(r"blocks\.6\..*\.conv_pwl", last_out), products(r"blocks\.(4\..*|5\.0)\.conv_pw", late_in),
            products(r"blocks\..*\.conv_pw", wide_in), products("conv_head", head), products("classifier", classifier)]


WAYS = {"data-free": ["--bias-correction"], "pictures": ["--network", NETWORK, "--images", TRAIN]}
WORDS = {"data-free": "no training, no data", "pictures": "no training, 128 pictures"}
BYTES = {"2.8": 2_800_000, "2.0": 2_000_000, "1.5": 1_500_000}
SCHEMES = {
    "2.8": schemes(8, 6, 8, 7, (2, 1024), (2, 512), (2, 512), (2, 256), (2, 256), (2, 256)),
    "2.0": schemes(6, 5, 5, 5, (2, 256), (2, 128), (2, 128), (4, 2048), (4, 512), (4, 512)),
    # As `--budget 1.5MB` shares the bytes; after 160 steps no better than BY_HAND (70.2 and 70.5 %).
    "1.5": [integers("conv_stem", 8), integers(r"blocks\.[012]\..*\.conv_dw|blocks\.0\.0\.conv_pw|blocks\.[12]\..*\.conv_pwl", 7),
            integers(r"blocks\.[34]\..*\.conv_dw|blocks\.[12]\..*\.conv_pw", 6),
            integers(r"blocks\.5\..*\.conv_dw|blocks\.3\..*\.conv_pwl|blocks\.3\.0\.conv_pw", 5),
            products(r"blocks\.6\.0\.conv_dw", (9, 256)),
            products(r"blocks\.(3\..*|4\.0|5\.0)\.conv_pw|blocks\.(4\..*|5\.0)\.conv_pwl", (2, 256)),
            products(r"blocks\.4\..*\.conv_pw|blocks\.5\.1\.conv_pwl", (2, 64)), products(r"blocks\.[56]\..*\.conv_pwl", (4, 1024)),
            products(r"blocks\..*\.conv_pw|conv_head", (4, 256)), products("classifier", (8, 64))],
}
BY_HAND = schemes(6, 4, 5, 4, (4, 2048), (4, 512), (4, 1024), (4, 256), (5, 256), (5, 256))
EVEN = [integers("conv_stem", 8), integers(r".*\.conv_dw", 4), products("classifier", (4, 512)), products(POINTWISE, (4, 512))]
# Noise about as strong as the codes that come.
PROXY = {"function": "proxy", "block_size": 4, "layers": f"{POINTWISE}|classifier"}
NOISE = {"2.8": {**PROXY, "rate": 0.01}, "2.0": {**PROXY, "rate": 0.03}, "1.5": {**PROXY, "rate": 0.06}}
STEPS, NOISE_SHARE, BATCH, SHIFT = 800, 0.2, 8, 8  # training pictures move by at most SHIFT pixels
RATE = {"2.8": 5e-4, "2.0": 1e-3, "1.5": 2e-3}  # relative to the weights: coarser codes need longer ways
ADAM = {"optimizer": "adamw", "beta2": 0.99, "relative_rates": True, "warmup_steps": 20}
TEACHER = {"share": 1, "temperature": 1, "hidden": 1}
CODES = {"stages": [".*"], "codebook": "int8", "shared_codebook": True, "latent_weights": True, "reassign_steps": 8}


def recipe(size, seed, steps=STEPS, noise_share=NOISE_SHARE, train=TRAIN, judged=JUDGED, layers=None, teacher=TEACHER, rate=None,
           batch=BATCH, shift=SHIFT, freeze=True, **codes):
    noisy, rates = round(noise_share * steps), {**ADAM, "learning_rate": rate or RATE[size]}
    first = {"steps": noisy, **rates} if noisy else {"epochs": 0}
    ipq = {**CODES, **rates, "steps": steps - noisy, "epochs": 0, "schemes": layers or SCHEMES[size], **codes}
    return {"seed": seed,
            "task": {"kind": "images", "network": NETWORK, "archive": str(train), "test_archive": str(judged), "weights": str(MODEL),
                     "crop_padding": shift, "dropout": 0},
            "training": {"batch_size": batch, "recalibration_batches": 640 // batch, "freeze_batch_norm": freeze,
                         "checkpoint_steps": 40, **first},
            **({"noise": NOISE[size]} if noisy else {}), "teacher": teacher, "ipq": ipq,
            "export": {"deflate_header": True, "fold_statistics": True}}


# Name: changes of the recipe at 1.5 MB, and of its steps.
PROBES = {
    "codes alone": {"steps": 0, "layers": SCHEMES["1.5"]},
    "codes alone, bytes shared by hand": {"steps": 0},
    "codes alone, pointwise layers alike": {"steps": 0, "layers": EVEN},
    "codes alone, bytes shared by hand, weighted by inputs": {"steps": 0, "importance_batches": 20},
    "bytes shared by hand": {},
    "no noise": {"noise_share": 0},
    "batch norm follows the training pictures": {"freeze": False},
    "pictures not moved": {"shift": 0},
    "no states": {"teacher": {**TEACHER, "hidden": 0}},
    "states ten times": {"teacher": {**TEACHER, "hidden": 10}},
    "codes stay": {"latent_weights": False},
    "rate 1e-3": {"rate": 1e-3},
    "rate 5e-3": {"rate": 5e-3},
}
PROBE_STEPS, PROBE_BATCH = 50, 16


class NotFinished(Exception):
    pass


class Maker:
    def __init__(self, options):
        self.command, self.work, self.finished = options.parsimony, options.work.resolve(), options.finished
        self.work.mkdir(parents=True, exist_ok=True)

    def make(self, name, *words, folder=False):
        """Runs the command once. Returns CPU seconds, those of interrupted runs not counted."""
        record = self.work / f"{name}.cpu"
        if not record.exists():
            if self.finished:
                raise NotFinished
            record.write_text(str(drive.measure(self.command, *words, "--threads", 1, "--json").cpu))
        return float(record.read_text())

    def trained(self, name, content):
        """Bytes, top-1 in %, cross-entropy and CPU seconds of a recipe's file."""
        folder, file = self.work / name, self.work / f"{name}.json"
        if file.exists() and json.loads(file.read_text()) != content:
            if self.finished:
                raise NotFinished
            sys.exit(f"{folder}: was made by another recipe; remove it with {name}.json and {name}.cpu")
        if not self.finished:
            file.write_text(json.dumps(content, indent=1))
        seconds = self.make(name, "train", file, "--output", folder)
        figures = json.loads((folder / "report.json").read_text())["figures"]
        size = (folder / "model.compact.safetensors").stat().st_size
        return size, 100 * figures["accuracy"], figures["loss"], seconds

    def judged(self, name, model):
        """Top-1 in % of a file on val-650.zip."""
        figures, judge = self.work / f"{name}.figures", self.work / "judge.json"
        if not figures.exists():
            if self.finished:
                raise NotFinished
            task = {"kind": "images", "network": NETWORK, "archive": str(TRAIN), "test_archive": str(JUDGED)}
            judge.write_text(json.dumps({"task": task}))
            figures.write_text(drive.run(self.command, "evaluate", model, judge, "--threads", 1, "--json"))
        return 100 * json.loads(figures.read_text())["figures"]["accuracy"]

    def quantized(self, size, way, flags):
        name = f"{size}-{way}"
        file = self.work / f"{name}.safetensors"
        seconds = self.make(name, "quantize", MODEL, "--half", "--budget", BYTES[size], "--fold-batch-norm",
                            "--batch-norm-epsilon", "1e-3", "--deflate-header", *flags, "--output", file)
        return file.stat().st_size, self.judged(name, file), seconds


def split_pictures(work):
    """The training pictures without every fourth, and those."""
    parts = [work / "choose-train.zip", work / "choose-held.zip"]
    if all(part.exists() for part in parts):
        return parts
    with zipfile.ZipFile(TRAIN) as source:
        lines = sorted(source.read("labels.txt").decode().split("\n"))
        for held, part in enumerate(parts):
            chosen = [line for i, line in enumerate(filter(None, lines)) if (i % HELD_OUT == 0) == bool(held)]
            by_name = {pathlib.PurePosixPath(name).name: name for name in source.namelist()}
            with zipfile.ZipFile(part, "w") as out:
                out.writestr("labels.txt", "\n".join(chosen) + "\n")
                for line in chosen:
                    name = line.split()[0]
                    out.writestr(name, source.read(by_name[name]))
    return parts


def probe(maker, words):
    train, held = split_pictures(maker.work)
    rows = []
    for name, changes in PROBES.items():
        if words and not any(word in name for word in words):
            continue
        content = recipe("1.5", 1, train=train, judged=held,
                         **{"layers": BY_HAND, "steps": PROBE_STEPS, "batch": PROBE_BATCH, **changes})
        try:
            rows.append((name, *maker.trained("probe-" + name.replace(" ", "-"), content)))
        except NotFinished:
            continue
        print(rows[-1], flush=True)
    return rows


def lines_of(floats, rows, plain):
    yield from drive.table(["MB", "how", "bytes", "top-1", "against float", "seeds", "CPU minutes"])
    yield drive.row(["float32", "", f"{MODEL.stat().st_size:,}", f"{floats:.2f}", "", "", ""])
    for size in BYTES:
        made = {words: [plain[size][way]] for way, words in WORDS.items() if way in plain.get(size, {})}
        made |= {f"{steps} steps of training": found for (of, steps), found in sorted(rows.items()) if of == size}
        for how, found in made.items():
            top1 = [row[1] for row in found]
            yield drive.row([size, how, f"{max(row[0] for row in found):,}", drive.mean(top1, 2), f"{statistics.mean(top1) - floats:+.2f}",
                             len(found), f"{statistics.mean(row[-1] for row in found) / 60:.1f}"])


def write_table(floats, rows, plain, probes):
    text = [f"# {__doc__.splitlines()[0]}", "",
            "Top-1 in % on the 650 pictures of val-650.zip, an easy selection of ImageNet's validation part; a difference of 1.5 is one",
            f"standard error. Steps are of {BATCH} pictures of train-1000.zip, {NOISE_SHARE:.0%} of them with noise before the codes.",
            "Without training: `--budget` of the same bytes, batch norms folded. One thread; CPU minutes on a busy machine",
            f"({drive.processor()}). Written by `experiments/efficientnet/trained.py WORK`, with `--steps` where there are not {STEPS}.", "", *lines_of(floats, rows, plain), ""]
    if probes:
        text += [f"Probes at 1.5 MB, with {PROBE_STEPS} steps of {PROBE_BATCH} pictures (codes alone: with none), three of four of train-1000.zip;",
                 "the others judge. Made by `trained.py WORK --choose`:",
                 "", "| | bytes | top-1 | cross-entropy | CPU seconds |", "|---|---|---|---|---|",
                 *(f"| {name} | {size:,} | {top1:.1f} | {loss:.3f} | {seconds:.0f} |" for name, size, top1, loss, seconds in probes), ""]
    drive.write(HERE / "trained.md", text[:-1])


def draw(floats, rows, plain):
    series = [(label, marker, True, [(ways[way][0] / 1e6, [ways[way][1]]) for ways in plain.values() if way in ways])
              for (way, label), marker in zip(WORDS.items(), "s^")]
    longest = {size: max(steps for of, steps in rows if of == size) for size, _ in rows}
    trained = [(rows[key][0][0] / 1e6, [row[1] for row in rows[key]]) for key in longest.items()]
    series.append(("trained with its codes", "o", True, trained))
    try:
        drive.draw_front(HERE / "front.png", (f"float32, {MODEL.stat().st_size / 1e6:.1f} MB", floats), series, "MB on disk",
                         "top-1 on val-650.zip, %")
    except ModuleNotFoundError:
        print("front.png needs Matplotlib", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("sizes", nargs="*", help="of 2.8, 2.0 and 1.5 (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--choose", nargs="*", help="make the probes whose names have one of these words (default: all)")
    parser.add_argument("--finished", action="store_true")
    drive.add_flags(parser, threads=False)
    options = parser.parse_args()
    maker = Maker(options)
    if options.choose is not None:
        probe(maker, options.choose)
        return
    floats = maker.judged("float", MODEL)
    rows, plain = {}, {}
    for size in options.sizes or BYTES:
        try:
            for way, flags in WAYS.items():
                print(size, way, maker.quantized(size, way, flags), flush=True)
            for seed in options.seeds:
                print(size, seed, maker.trained(f"{size}-{seed}-{options.steps}", recipe(size, seed, options.steps)), flush=True)
        except NotFinished:
            pass
    maker.finished = True
    for size in BYTES:
        for way, flags in WAYS.items():
            if (maker.work / f"{size}-{way}.figures").exists():
                plain.setdefault(size, {})[way] = maker.quantized(size, way, flags)
    for record in sorted(maker.work.glob("*.cpu")):
        if name := re.fullmatch(r"(\d\.\d)-(\d+)-(\d+)", record.stem):
            size, seed, steps = name[1], int(name[2]), int(name[3])
            try:
                rows.setdefault((size, steps), []).append(maker.trained(record.stem, recipe(size, seed, steps)))
            except NotFinished:  # made by another recipe
                continue
            if rows[size, steps][-1][0] > BYTES[size]:
                sys.exit(f"{size} MB: {rows[size, steps][-1][0]:,} bytes are too many")
    write_table(floats, rows, plain, probe(maker, []))
    draw(floats, rows, plain)


main()
