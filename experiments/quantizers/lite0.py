#!/usr/bin/env python3
"""Top-1 of EfficientNet-Lite0 from compact files: lite0.py PARSIMONY DATA_FOLDER [PICTURES] [RUN…]

DATA_FOLDER has networks/efficientnet_lite0.safetensors, its -reference and imagenet/val-650.zip. Each run is one
`parsimony quantize`, without data; the network is a plain forward in PyTorch, which the reference logits check first.
PICTURES limits the pictures (default: all 650). Needs numpy, torch and pillow."""
import io
import resource
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import read_compact  # noqa: E402

CORRECTED = "--bias-correction --half --fold-batch-norm --batch-norm-epsilon 1e-3"
RUNS = ["--scheme int8", "--scheme int4", "--scheme int4 --bias-correction",
        *[f"--budget {size} {CORRECTED}" for size in ("5.2MB", "3.3MB", "2.8MB", "2MB")]]
EPSILON = 1e-3  # the network was trained in TensorFlow
STRIDES = (1, 2, 2, 2, 1, 2, 1)


def tensors_of(path):
    metadata, stored = read_compact.read_safetensors(path)
    if "parsimony.format_version" in metadata:
        _, stored = read_compact.read_compact(path)
    return {name: torch.from_numpy(read_compact.array(tensor).copy()) for name, tensor in stored.items() if tensor[0] == "F32"}


def layer(x, weights, convolution, norm, stride=1, active=True):
    weight = weights[convolution + ".weight"]
    kernel, groups = weight.shape[-1], x.shape[1] // weight.shape[1]
    total = max((-(-x.shape[-1] // stride) - 1) * stride + kernel - x.shape[-1], 0)  # TensorFlow's padding
    x = torch.nn.functional.pad(x, (total // 2, total - total // 2) * 2)
    x = torch.nn.functional.conv2d(x, weight, stride=stride, groups=groups)
    parts = [weights[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
    x = torch.nn.functional.batch_norm(x, *parts, eps=EPSILON)
    return x.clamp(0, 6) if active else x


@torch.no_grad()
def logits(x, weights):
    x = layer(x, weights, "conv_stem", "bn1", 2)
    for stage, stride in enumerate(STRIDES):
        block = 0
        while (name := f"blocks.{stage}.{block}") + ".conv_dw.weight" in weights:
            before, step = x, stride if block == 0 else 1
            if name + ".conv_pwl.weight" in weights:
                x = layer(x, weights, name + ".conv_pw", name + ".bn1")
                x = layer(x, weights, name + ".conv_dw", name + ".bn2", step)
                x = layer(x, weights, name + ".conv_pwl", name + ".bn3", active=False)
            else:
                x = layer(x, weights, name + ".conv_dw", name + ".bn1", step)
                x = layer(x, weights, name + ".conv_pw", name + ".bn2", active=False)
            x = x + before if x.shape == before.shape else x
            block += 1
    x = layer(x, weights, "conv_head", "bn2").mean((2, 3))
    return x @ weights["classifier.weight"].T + weights["classifier.bias"]


def pictures(archive, most):
    with zipfile.ZipFile(archive) as files:
        lines = [line.split() for line in files.read("labels.txt").decode().splitlines()][:most]
        images = []
        for name, _ in lines:
            image = Image.open(io.BytesIO(files.read(f"images/{name}"))).convert("RGB")
            scale = 256 / min(image.size)
            image = image.resize([round(side * scale) for side in image.size], Image.BICUBIC)
            left, top = ((side - 224) // 2 for side in image.size)
            images.append((np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32) - 127) / 128)
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), torch.tensor([int(label) for _, label in lines])


def main():
    program, data, rest = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    most = int(rest.pop(0)) if rest and rest[0].isdigit() else 650
    model = data / "networks/efficientnet_lite0.safetensors"
    weights, reference = tensors_of(model), tensors_of(data / "networks/efficientnet_lite0-reference.safetensors")
    apart = (logits(reference["input"], weights) - reference["logits"]).abs().max().item()
    if apart > 1e-3:
        sys.exit(f"the forward is not the network's: its logits are off by {apart:.2g}")
    images, labels = pictures(data / "imagenet/val-650.zip", most)

    def right(of):
        return torch.cat([logits(part, of).topk(5).indices for part in images.split(25)]) == labels[:, None]
    exact = right(weights)

    def show(name, size, seconds, found):
        gained = (found[:, 0] & ~exact[:, 0]).sum().item()
        lost = (exact[:, 0] & ~found[:, 0]).sum().item()
        error = 100 * (gained + lost)**0.5 / len(labels)  # over the same pictures
        print(f"| {name} | {size:,} | {seconds} | {100 * found[:, 0].float().mean():.1f} | {100 * found.any(1).float().mean():.1f} | "
              f"{100 * (gained - lost) / len(labels):+.1f} ± {error:.1f} |", flush=True)

    print("| run | bytes | CPU s | top-1 | top-5 | against float |\n|---|---|---|---|---|---|")
    show("float32", model.stat().st_size, "", exact)
    for run in rest or RUNS:
        with tempfile.TemporaryDirectory() as folder:
            small = Path(folder) / "small.safetensors"
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            subprocess.run([program, "quantize", model, *run.split(), "-o", small, "-q"], check=True, stdout=subprocess.DEVNULL)
            seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            show(f"`{run}`", small.stat().st_size, f"{seconds:.1f}", right(tensors_of(small)))


if __name__ == "__main__":
    main()
