"""CPU time that quantization noise adds to a training step of PyTorch: python bench/python/noise_steps.py [ROUNDS]

Kinds of steps take turns, so that other work on the machine slows them equally; a ratio is the median over the rounds of
the CPU seconds of a step with noise, divided by those of the step without noise in the same round. One thread. The first
step of each kind, which learns codebooks, is stated apart.
"""

import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parsimony_ml.torch import QuantNoise

KINDS = {
    "proxy, rate .1": ("proxy", 0.1),
    "mean, rate .1": ("mean", 0.1),
    "int8, rate .5": ("int8", 0.5),
    "int4, rate .5": ("int4", 0.5),
    "product, rate .1": ("product", 0.1),
    "product-integer, rate .1": ("product-integer", 0.1),
}


class Block(nn.Module):
    """Two convolutions of a residual network."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.stride = stride

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        short = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
        return F.relu(y + short)


def resnet20():
    widths = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    layers += [Block(*width) for width in widths]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class Transformer(nn.Module):
    """A classifier of tokens: 6 layers of width 384, as MiniLM has."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(8000, 384)
        layer = nn.TransformerEncoderLayer(384, 12, 1536, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
        self.head = nn.Linear(384, 10)

    def forward(self, tokens):
        return self.head(self.encoder(self.embed(tokens)).mean(1))


def problems():
    torch.manual_seed(0)
    yield "ResNet-20, 64 pictures of 32 x 32", resnet20(), torch.randn(64, 3, 32, 32)
    yield "6 layers of width 384, 16 x 64 tokens", Transformer(), torch.randint(8000, (16, 64))


def measure(model, x, rounds):
    y = torch.randint(10, (len(x),))
    optimizer = torch.optim.SGD(model.parameters(), 1e-4)
    noises = {name: QuantNoise(model, *how) for name, how in KINDS.items()}
    noises["none"] = None
    for noise in noises.values():
        if noise is not None:
            noise.enabled = False

    def step(noise):
        begin = time.process_time()
        if noise is not None:
            noise.enabled = True
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()
        if noise is not None:
            noise.step()
            noise.enabled = False
        return time.process_time() - begin

    first = {name: step(noise) for name, noise in noises.items()}
    seconds = {name: [] for name in noises}
    for _ in range(rounds):
        for name, noise in noises.items():
            seconds[name].append(step(noise))
    return first, {name: np.array(times) for name, times in seconds.items()}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    torch.set_num_threads(1)
    for title, model, x in problems():
        weights = sum(parameter.numel() for parameter in model.parameters() if parameter.dim() > 1)
        first, seconds = measure(model, x, rounds)
        plain = seconds["none"]
        print(f"\n{title}: {weights:,} weights, {np.median(plain):.3f} CPU s a step, {rounds} rounds\n")
        print("| noise | step / step without noise: median, middle half | first step, CPU s |")
        print("|---|---|---|")
        for name in KINDS:
            low, middle, high = np.quantile(seconds[name] / plain, [0.25, 0.5, 0.75])
            print(f"| {name} | **{middle:.2f}** ({low:.2f} to {high:.2f}) | {first[name]:.2f} |")


if __name__ == "__main__":
    main()
