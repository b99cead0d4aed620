"""MiniLM through parsimony_ml and transformers, beside torchao and plain quantizers of about the same bytes, as tables.

    PYTHONPATH=build/release/python python experiments/quantizers/from_python.py MODEL_FOLDER TEXT_FOLDER

with the packages of tests/python/requirements.txt and torchao. Each row of parsimony is a folder that `quant.compress` makes and
`AutoModel.from_pretrained` reads; save_pretrained then writes a folder with the same codes, which is checked. Sentences, measures and
plain quantizers are those of minilm.py. Rows "with inputs" have those of 250 other sentences as calibration. torchao quantizes
linear layers and embeddings; its bytes are those of the values, of scales in float16, and of zero points as wide as the values; the
rest is float16. The plain quantizers count so, too.
"""

import sys
import tempfile
from pathlib import Path

import minilm
import numpy as np
import torch
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer

import parsimony_ml.transformers  # noqa: F401
from parsimony_ml import quant
from parsimony_ml.torch import load_model

# Megabytes, and how they are reached.
RUNS = {
    "23 MB": {"budget": "23MB", "half": True},
    "12 MB": {"budget": "12MB", "half": True},
    "12 MB, with inputs": {"budget": "12MB", "half": True, "feedback": True},
    "8 MB": {"budget": "8MB", "half": True},
    "8 MB, with inputs": {"budget": "8MB", "half": True, "feedback": True},
}
PEERS = {  # torchao: bits, values that share a scale (0: a row), zero points
    "torchao int8 of rows": (8, 0, False),
    "torchao int4 in groups of 64": (4, 64, False),
    "torchao int4 in groups of 64, zero points": (4, 64, True),
    "torchao int4 in groups of 32, zero points": (4, 32, True),
    "torchao int3 in groups of 64, zero points": (3, 64, True),
    "torchao int2 in groups of 32, zero points": (2, 32, True),
}
PLAIN = {
    "int8 per channel, the largest value": lambda w: minilm.per_channel(8, w),
    "NF4 in groups of 64": minilm.nf4,
    "int4 in groups of 64, zero points, searched": lambda w: minilm.searched(4, w),
    "int3 in groups of 64, zero points, searched": lambda w: minilm.searched(3, w),
    "int2 in groups of 64, zero points, searched": lambda w: minilm.searched(2, w),
}
PAIRS = [
    ("23 MB", "torchao int8 of rows"), ("23 MB", "int8 per channel, the largest value"),
    ("12 MB", "torchao int4 in groups of 64, zero points"), ("12 MB", "NF4 in groups of 64"),
    ("12 MB, with inputs", "torchao int4 in groups of 64, zero points"), ("12 MB, with inputs", "NF4 in groups of 64"),
    ("12 MB, with inputs", "int4 in groups of 64, zero points, searched"),
    ("8 MB", "torchao int3 in groups of 64, zero points"), ("8 MB, with inputs", "torchao int3 in groups of 64, zero points"),
    ("8 MB, with inputs", "int3 in groups of 64, zero points, searched"),
    ("8 MB, with inputs", "torchao int2 in groups of 32, zero points"),
]


def vectors(model, tokenizer, texts):
    """Means of the words, of length 1; texts of like length together."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = None
    for first in range(0, len(order), 32):
        some = order[first:first + 32]
        batch = tokenizer([texts[i] for i in some], padding=True, truncation=True, max_length=128, return_tensors="pt")
        with torch.no_grad():
            words, kept = model(**batch).last_hidden_state, batch["attention_mask"][..., None]
        means = nn.functional.normalize((words * kept).sum(1) / kept.sum(1)).float().numpy()
        out = np.empty((len(texts), means.shape[1]), np.float32) if out is None else out
        out[some] = means
    return out


def inputs_of(model, tokenizer, texts):
    """The inputs of the linear layers, for quant.compress."""
    found, handles = {}, []
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            handles.append(module.register_forward_pre_hook(
                lambda _, given, name=name: found.setdefault(f"{name}.input", []).append(given[0].reshape(-1, given[0].shape[-1]))))
    for text in texts:  # one at a time: padding would count
        with torch.no_grad():
            model(**tokenizer([text], truncation=True, max_length=128, return_tensors="pt"))
    for handle in handles:
        handle.remove()
    return {name: torch.cat(parts).half().numpy() for name, parts in found.items() if not name.startswith("pooler")}


def torchao_copy(make_model, bits, group, zero_points):
    """A model that torchao has quantized, and its bytes."""
    from torchao.quantization import IntxWeightOnlyConfig, PerAxis, PerGroup, quantize_
    from torchao.quantization.quant_primitives import MappingType

    model = make_model()
    config = IntxWeightOnlyConfig(
        weight_dtype=getattr(torch, f"int{bits}"),
        granularity=PerGroup(group) if group else PerAxis(0),
        mapping_type=MappingType.ASYMMETRIC if zero_points else MappingType.SYMMETRIC,
    )
    chosen = {name: module.weight for name, module in model.named_modules() if isinstance(module, (nn.Linear, nn.Embedding))}
    count = sum(weight.numel() for weight in chosen.values())
    scales = sum(weight.numel() // group if group else len(weight) for weight in chosen.values())
    rest = 2 * (sum(parameter.numel() for parameter in model.parameters()) - count)
    quantize_(model, config, lambda module, name: name in chosen)
    return model, count * bits / 8 + scales * (2 + bits / 8 * zero_points) + rest


def main():
    folder, text = Path(sys.argv[1]), Path(sys.argv[2])
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def floats():
        return load_model(AutoModel.from_config(AutoConfig.from_pretrained(folder)).eval(), folder, strict=False)

    own = minilm.sentences(text / "glue")
    table = text / "sts16-test.tsv"
    sts = [sentence for pair in zip(minilm.column(table, 0), minilm.column(table, 1)) for sentence in pair]
    scores = np.array([float(score) for score in minilm.column(table, 2)])
    model = floats()
    exact, exact_sts = vectors(model, tokenizer, own), vectors(model, tokenizer, sts)
    rows = {}

    def nearest(x):
        return (x @ x.T - 2 * np.eye(len(x))).argmax(1)

    def show(name, size, quantized):
        found, found_sts = vectors(quantized, tokenizer, own), vectors(quantized, tokenizer, sts)
        row = rows[name] = {
            "cosine": (found * exact).sum(1), "kept": nearest(found) == nearest(exact),
            "kept_sts": nearest(found_sts) == nearest(exact_sts), "similarity": (found_sts[::2] * found_sts[1::2]).sum(1)}
        print(f"| {name} | {size / 1e6:.2f} | {row['cosine'].mean():.4f} | {row['kept'].mean():.3f} | {row['kept_sts'].mean():.3f} | "
              f"{minilm.correlation(row['similarity'], scores):.4f} |", flush=True)

    print("| | MB | cosine | nearest of 200 kept | nearest of 2,372 kept | STS-2016 |\n|---|---|---|---|---|---|")
    show("float16", next(folder.glob("*.safetensors")).stat().st_size, model)
    calibration = inputs_of(model, tokenizer, minilm.sentences(text / "glue", (500, 500, 150), (100, 100, 50)))
    for name, options in RUNS.items():
        with tempfile.TemporaryDirectory() as made:
            small = quant.compress(folder, Path(made) / "a", calibration=calibration if "feedback" in options else None, **options)
            loaded = AutoModel.from_pretrained(Path(made) / "a").eval()
            show(name, small.bytes, loaded)
            loaded.save_pretrained(Path(made) / "b")
            again = quant.load(Path(made) / "b")
            first = quant.load(Path(made) / "a")
            assert all(np.array_equal(again[key], first[key]) for key in again.keys() & first.keys())
    for name, how in PEERS.items():
        quantized, size = torchao_copy(floats, *how)
        show(name, size, quantized)
    state = {name: value.detach().float().numpy() for name, value in model.state_dict().items() if value.is_floating_point()}
    matrices = [name for name, value in state.items() if value.ndim == 2]
    rest = 2 * sum(value.size for name, value in state.items() if name not in matrices)
    for name, quantize in PLAIN.items():
        made = {matrix: quantize(state[matrix]) for matrix in matrices}
        plain = floats()
        plain.load_state_dict({matrix: torch.from_numpy(np.ascontiguousarray(values, np.float32)) for matrix, (values, _) in made.items()},
                              strict=False)
        show(name, rest + sum(size for _, size in made.values()), plain)
    print("\n| row, less the other | cosine | nearest of 200 kept | nearest of 2,372 kept | STS-2016 |\n|---|---|---|---|---|")
    for run, peer in PAIRS:
        print(f"| {run}, less {peer} | {minilm.paired(rows[run], rows[peer], scores)} |", flush=True)


if __name__ == "__main__":
    main()
