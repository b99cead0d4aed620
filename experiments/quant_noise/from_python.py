"""The table of ResNet-20 (noise, quantization-aware training, or neither) again, from parsimony_ml and PyTorch alone.

    PYTHONPATH=build/release/python python experiments/quant_noise/from_python.py [--seeds 1 2 3] [--table]

with the packages of tests/python/requirements.txt. Data, steps, rates and schemes are those of run.py, but no code of the
trainer in C++ takes part: the loop is PyTorch's, noise is QuantNoise, codes are IterativePQ's, and an accuracy is that of the
compact file, read into a new network. Random numbers of batches and augmentation differ. A run is a line of
build/quant_noise/python.jsonl and is not repeated; from_python.md beside this file has the means, and those of table.md.
About twelve minutes of a core for a seed, and six for the float network.
"""

import argparse
import collections
import contextlib
import io
import json
import math
import re
import statistics
import time
import zipfile

import numpy as np
import torch
from PIL import Image
from recipes import CODE_STEPS, DATA, HERE, NOISE_STEPS, PUBLISHED, SEEDS, WORK, drive
from run import HELD_OUT
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parsimony_ml import torch as pt

RESULTS, FLOAT = WORK / "python.jsonl", WORK / "python-float.pt"
MEAN, DEVIATION = (torch.tensor(v).view(3, 1, 1) for v in ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)))
BATCH, RECALIBRATION = 128, 32
THEIR_FLOAT = 87.42  # % of the float network of table.md

INTEGER = {"granularity": "per-channel"}
KERNELS = {"block_size": 9, "centroids": 256, "refresh_steps": 50, "layers": r"layer\d.*"}
NOISES = {  # a kind and a noise: function, rate and options of QuantNoise
    ("int8", "QAT"): ("integer", 1, {**INTEGER, "bits": 8}), ("int8", "Quant-Noise"): ("integer", 0.5, {**INTEGER, "bits": 8}),
    ("int4", "QAT"): ("integer", 1, {**INTEGER, "bits": 4}), ("int4", "Quant-Noise"): ("integer", 0.5, {**INTEGER, "bits": 4}),
    ("iPQ", "QAT"): ("product", 1, KERNELS), ("iPQ", "Quant-Noise"): ("product", 0.1, KERNELS),
}
PRODUCT = {"function": "product", "block_size": 9, "centroids": 256, "codebook": "int8", "shared_codebook": True}
CODES = {  # a kind: stages of IterativePQ, steps with them
    "int8": ({".*": "int8"}, 0),
    "int4": ({".*": "int4"}, 0),
    "iPQ": ({"conv1|linear": "int8", **{rf"layer{i}\..*": PRODUCT for i in (1, 2, 3)}}, CODE_STEPS),
}


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.stride, self.added = (1 if inputs == outputs else 2), (outputs - inputs) // 2
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, self.stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        short = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.added, self.added))
        return F.relu(y + short)


class ResNet20(nn.Module):
    """With the names of the published weights."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        for stage, (inputs, outputs) in enumerate([(16, 16), (16, 32), (32, 64)]):
            blocks = [Block(inputs if i == 0 else outputs, outputs) for i in range(3)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x.contiguous(memory_format=torch.channels_last))))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


def read_images():
    """Pixels and classes: those of training without the last of each class, and the test images."""
    cache = WORK / "cifar10.npz"
    if not cache.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        parts = collections.defaultdict(list)
        with zipfile.ZipFile(drive.existing(DATA / "networks/cifar10-jpeg.zip")) as archive:
            by_class = collections.defaultdict(list)
            for name in sorted(archive.namelist()):
                if name.endswith(".jpg"):
                    by_class[tuple(name.split("/")[:2])].append(name)
            classes = sorted({of for _, of in by_class})
            for (split, of), names in by_class.items():
                for name in names[:-HELD_OUT] if split == "train" else names:
                    pixels = np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB"))
                    parts[split].append((pixels.transpose(2, 0, 1), classes.index(of)))
        arrays = {f"{split}_{what}": np.array([pair[i] for pair in pairs])
                  for split, pairs in parts.items() for i, what in enumerate(("x", "y"))}
        np.savez(cache, **arrays)
    found = np.load(cache)
    return {split: (torch.from_numpy(found[f"{split}_x"]), torch.from_numpy(found[f"{split}_y"])) for split in ("train", "test")}


def scaled(pixels):
    return (pixels.float() / 255 - MEAN) / DEVIATION


class Batches:
    """Batches of training images by seed and step: shifted by up to four pixels, every second one mirrored."""

    def __init__(self, images, seed):
        self.x, self.y = images
        self.seed = seed

    def __call__(self, step):
        each = len(self.x) // BATCH
        order = np.random.default_rng((self.seed, step // each)).permutation(len(self.x))
        some = order[step % each * BATCH:][:BATCH]
        random = np.random.default_rng((self.seed, step, 1))
        down, right, flip = random.integers(0, 9, BATCH), random.integers(0, 9, BATCH), random.integers(0, 2, BATCH)
        padded = F.pad(self.x[some], (4, 4, 4, 4))
        out = torch.stack([image[:, d:d + 32, r:r + 32] for image, d, r in zip(padded, down, right)])
        mirrored = torch.from_numpy(flip.astype(bool))
        out[mirrored] = out[mirrored].flip(3)
        return scaled(out), self.y[some]


def rate_at(step, steps, warmup, decay):
    rise = min(1, (step + 1) / warmup) if warmup else 1
    part = min(1, max(0, (step - warmup) / max(1, steps - warmup)))
    return rise * (1 - part if decay == "linear" else (1 + math.cos(math.pi * part)) / 2)


def lower():
    return torch.autocast("cpu", torch.bfloat16)


def train(model, batches, optimizer, steps, first=0, warmup=20, decay="cosine", teacher=None, after=lambda step: None):
    """Steps of the optimizer on the batches from `first` on; the teacher's outputs are the target where there is one."""
    highest = optimizer.param_groups[0]["lr"]
    model.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = highest * rate_at(step, steps, warmup, decay)
        x, y = batches(first + step)
        with lower():
            out = model(x)
        if teacher is None:
            loss = F.cross_entropy(out.float(), y)
        else:
            with torch.no_grad(), lower():
                taught = teacher(x)
            loss = pt.distillation_loss(out.float(), taught.float())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        after(step)


@torch.no_grad()
def accuracy(model, images):
    model.eval()
    x, y = images
    return sum((model(scaled(x[i:i + 250])).argmax(1) == y[i:i + 250]).sum().item() for i in range(0, len(x), 250)) / len(x)


@torch.no_grad()
def normalize_filters(model):
    """Filters before a batch norm get one size, which the batch norm takes back: better codebooks without a byte."""
    modules = dict(model.named_modules())
    for name, norm in modules.items():
        if isinstance(norm, nn.BatchNorm2d):
            weight = modules[re.sub(r"bn(\d)$", r"conv\1", name)].weight
            size = weight.flatten(1).square().mean(1).sqrt()
            weight /= size.view(-1, 1, 1, 1)
            norm.weight *= ((norm.running_var + norm.eps * size**2) / (norm.running_var + norm.eps)).sqrt()
            norm.running_mean /= size
            norm.running_var /= size**2


def recalibrate(model, batches):
    pt.recalibrate_batch_norm(model, (batches(10**6 + i)[0] for i in range(RECALIBRATION)))


def float_network(images):
    """Three epochs from the published weights."""
    model = ResNet20()
    if FLOAT.exists():
        model.load_state_dict(torch.load(FLOAT))
        return model
    pt.load_model(model, drive.existing(PUBLISHED), strict=False)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.SGD([{"params": decayed, "weight_decay": 1e-4}, {"params": others}], 0.05, momentum=0.9)
    train(model, Batches(images["train"], 1), optimizer, math.ceil(3 * len(images["train"][0]) / BATCH), warmup=0, decay="linear")
    torch.save(model.state_dict(), FLOAT)
    record("float", 1, accuracy(model, images["test"]), PUBLISHED.stat().st_size)
    return model


def record(row, seed, right, size):
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"row": row, "seed": seed, "accuracy": right, "bytes": size}) + "\n")
    print(f"{row}, seed {seed}: {100 * right:.2f} %, {size} bytes, {time.process_time():.0f} CPU s so far", flush=True)


def adam(parameters, rate):
    return torch.optim.AdamW(parameters, rate, betas=(0.9, 0.99), weight_decay=0)


def with_noise(teacher, batches, noise, seed):
    """A copy of the float network after the steps before quantization."""
    model = ResNet20()
    model.load_state_dict(teacher.state_dict())
    normalize_filters(model)
    optimizer = adam(model.parameters(), 1e-3)
    names = list(model.state_dict())
    quant_noise = contextlib.nullcontext()
    if noise is not None:
        function, rate, options = noise
        quant_noise = pt.QuantNoise(model, function, rate, seed=seed, optimizer=optimizer, **options)
    with quant_noise:
        train(model, batches, optimizer, NOISE_STEPS, teacher=teacher)
    assert list(model.state_dict()) == names
    if noise is not None:
        recalibrate(model, batches)
    return model


def quantize(model, kind, teacher, batches, path):
    """Codes, the steps with them, and the compact file."""
    stages, steps = CODES[kind]
    ipq = pt.IterativePQ(model, stages)
    for _ in ipq:
        pass
    if steps:
        train(model, batches, adam(ipq.parameters(), 2e-3), steps, first=NOISE_STEPS, teacher=teacher,
              after=lambda step: ipq.fit_ranges() if (step + 1) % 50 == 0 else None)
    recalibrate(model, batches)
    size = ipq.save(path, deflate_header=True)
    ipq.remove()
    return size


def run_seed(seed, images, teacher, known):
    batches = Batches(images["train"], seed)
    plain = None
    for kind in CODES:
        for name in ("post-training", "QAT", "Quant-Noise"):
            row = f"{kind}, {name}"
            if (row, seed) in known:
                continue
            if name == "post-training":
                plain = with_noise(teacher, batches, None, seed).state_dict() if plain is None else plain
                model = ResNet20()
                model.load_state_dict(plain)
            else:
                model = with_noise(teacher, batches, NOISES[kind, name], seed)
            path = WORK / f"python-{kind}-{name}-{seed}.safetensors"
            size = quantize(model, kind, teacher, batches, path)
            record(row, seed, accuracy(pt.load_model(ResNet20(), path), images["test"]), size)


def results():
    lines = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    return {(line["row"], line["seed"]): line for line in map(json.loads, lines)}


def write_table():
    """Beside the rows of table.md."""
    known = results()
    table = (HERE / "table.md").read_text(encoding="utf-8")
    theirs = dict(re.findall(r"^\| ((?:int8|int4|iPQ), [^|]*?) \| ([0-9.]+ ± [0-9.]+) \| [+-]", table, flags=re.MULTILINE))
    text = ["# ResNet-20 from Python", "",
            "`experiments/quant_noise/from_python.py`: the rows of [table.md](table.md) again, by PyTorch, `QuantNoise`, `IterativePQ` and the compact",
            "file, with other random batches. Accuracy in % ± half of the 95 % interval. The float network, trained once here and once there, has",
            f"{100 * known['float', 1]['accuracy']:.2f} % here and {THEIR_FLOAT} % there. So accuracies and their differences to the float network are compared, both with the",
            "interval of the command's accuracy. Files have the running statistics, which the command folds.", "",
            "| | from Python, % | seeds | against float | by the command, % | against float | within the interval: accuracy | against float | bytes |",
            "|---|---|---|---|---|---|---|---|---|"]
    base = 100 * known["float", 1]["accuracy"]
    for kind in CODES:
        for name in ("post-training", "QAT", "Quant-Noise"):
            row = f"{kind}, {name}"
            lines = [known[row, seed] for seed in SEEDS if (row, seed) in known]
            if not lines:
                continue
            values = [100 * line["accuracy"] for line in lines]
            mean = statistics.mean(values)
            other, half = map(float, theirs[row].split(" ± "))
            own = drive.mean(values, 2) if len(values) > 1 else f"{mean:.2f}"
            inside = ["yes" if abs(apart) <= half else "no" for apart in (mean - other, mean - base - (other - THEIR_FLOAT))]
            text.append(f"| {row} | {own} | {len(values)} | {mean - base:+.2f} | {theirs[row]} | {other - THEIR_FLOAT:+.2f} | {' | '.join(inside)} | "
                        f"{statistics.mean(line['bytes'] for line in lines):,.0f} |")
    (HERE / "from_python.md").write_text("\n".join(text) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", choices=SEEDS, default=SEEDS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="only write the table of the runs that are there")
    options = parser.parse_args()
    if not options.table:
        torch.set_num_threads(options.threads)
        images = read_images()
        teacher = float_network(images).eval()
        for seed in options.seeds:
            torch.manual_seed(seed)
            run_seed(seed, images, teacher, results())
    write_table()


if __name__ == "__main__":
    main()
