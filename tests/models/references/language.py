"""Writes language.json: probabilities of language models with fairseq's names, computed by plain PyTorch: attention by
TransformerEncoderLayer, the adaptive softmax by AdaptiveLogSoftmaxWithLoss. Weights are those of values.py.

    python tests/models/references/language.py     # needs torch
"""

import json
import math
import pathlib

import torch
from torch import nn

import values

WORDS, WIDTH, HEADS, INNER, LAYERS, LENGTH, PADDING = 60, 16, 4, 24, 3, 10, 1
CUTOFFS, FACTOR = [12, 30], 2
torch.backends.mha.set_fastpath_enabled(False)


def weight(name, *shape):
    return torch.from_numpy(values.tensor("decoder." + name, shape))


def fill(module, name):
    for part, parameter in module.named_parameters():
        parameter.data.copy_(weight(f"{name}.{part}", *parameter.shape))


def layer(index):
    """A layer before which norms are applied, with the weights of fairseq's names."""
    out = nn.TransformerEncoderLayer(WIDTH, HEADS, INNER, dropout=0.0, norm_first=True, batch_first=True)
    name = f"layers.{index}"
    projections = [f"{name}.self_attn.{part}_proj" for part in "qkv"]
    out.self_attn.in_proj_weight.data.copy_(torch.cat([weight(f"{p}.weight", WIDTH, WIDTH) for p in projections]))
    out.self_attn.in_proj_bias.data.copy_(torch.cat([weight(f"{p}.bias", WIDTH) for p in projections]))
    fill(out.self_attn.out_proj, f"{name}.self_attn.out_proj")
    fill(out.linear1, f"{name}.fc1")
    fill(out.linear2, f"{name}.fc2")
    fill(out.norm1, f"{name}.self_attn_layer_norm")
    fill(out.norm2, f"{name}.final_layer_norm")
    return out


def positions():
    """Sines and cosines; the first token has the position after that of padding."""
    half = WIDTH // 2
    rates = torch.exp(torch.arange(half, dtype=torch.double) * -(math.log(10000) / (half - 1)))
    angles = (torch.arange(LENGTH, dtype=torch.double) + PADDING + 1)[:, None] * rates[None]
    return torch.cat([angles.sin(), angles.cos()], 1).float()


class Adaptive:
    """Embeddings in bands, and the softmax with the same weights."""

    def __init__(self):
        ends = [0, *CUTOFFS, WORDS]
        self.bands = []
        for band in range(len(ends) - 1):
            name, dim = f"embed_tokens.embeddings.{band}", WIDTH // FACTOR**band
            self.bands.append((ends[band], weight(f"{name}.0.weight", ends[band + 1] - ends[band], dim),
                               weight(f"{name}.1.weight", WIDTH, dim)))
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(WIDTH, WORDS, CUTOFFS, div_value=FACTOR, head_bias=False)
        classes = weight("adaptive_softmax.head.class_proj.weight", len(CUTOFFS), WIDTH)
        self.softmax.head.weight.data.copy_(torch.cat([self.bands[0][1], classes]))
        for tail, (_, words, projection) in zip(self.softmax.tail, self.bands[1:]):
            tail[0].weight.data.copy_(projection.t())
            tail[1].weight.data.copy_(words)

    def embed(self, tokens):
        table = torch.cat([words @ projection.t() for _, words, projection in self.bands])
        return table[tokens]

    def log_probabilities(self, x):
        return self.softmax.log_prob(x.flatten(0, 1)).view(*x.shape[:2], WORDS)


class Plain:
    def __init__(self, tied):
        self.table = weight("embed_tokens.weight", WORDS, WIDTH)
        self.output = self.table if tied else weight("output_projection.weight", WORDS, WIDTH)

    def embed(self, tokens):
        return self.table[tokens]

    def log_probabilities(self, x):
        return (x @ self.output.t()).log_softmax(-1)


def run(kind, words, final_norm):
    tokens = torch.from_numpy(((values.numbers("tokens", 2 * (LENGTH + 1)) + 1) / 2 * WORDS).astype(int)).view(2, -1)
    x = math.sqrt(WIDTH) * words.embed(tokens[:, :-1]) + positions()
    mask = torch.ones(LENGTH, LENGTH, dtype=torch.bool).triu(1)
    for index in range(LAYERS):
        x = layer(index)(x, src_mask=mask)
    if final_norm:
        norm = nn.LayerNorm(WIDTH)
        fill(norm, "layer_norm")
        x = norm(x)
    out = words.log_probabilities(x)
    loss = -out.gather(2, tokens[:, 1:, None]).mean().item()
    return {"kind": kind, "final_norm": final_norm, "tokens": tokens.tolist(), "loss": loss,
            "log_probabilities": [float(f"{value:.7g}") for value in out.flatten().tolist()]}


with torch.no_grad():
    runs = [run("adaptive", Adaptive(), True), run("adaptive", Adaptive(), False), run("tied", Plain(True), True),
            run("untied", Plain(False), True)]
record = {"torch": torch.__version__, "runs": runs}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(record) + "\n")
