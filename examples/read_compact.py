#!/usr/bin/env python3
"""Reads a compact file of parsimony quantize without parsimony: read_compact.py SMALL.safetensors MODEL.safetensors

docs/formats/compact.md says what each tensor is. Weights come out as float32; needs numpy and safetensors."""
import json
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file


def unpack(packed, bits, count):
    stream = np.unpackbits(packed, bitorder="little")[: count * bits]
    return stream.reshape(count, bits).astype(np.int64) @ (1 << np.arange(bits))


def weight(stored, name, group):
    shape = stored.pop(name + "_shape")
    outputs, channels, n = shape[0], shape[1], int(np.prod(shape[1:]))
    packed = stored.pop(name + "_packed")
    rows = (-1, 1, 1)  # of what there is one of per output
    if group["scheme"] == "integer":
        codes = unpack(packed, group["bits"], outputs * n).reshape(outputs, channels, -1)
        zero = stored.pop(name + "_zero_point").astype(np.int64).reshape(rows)
        scale = stored.pop(name + "_scale").astype(np.float32).reshape(rows)
        return ((codes - zero).astype(np.float32) * scale).reshape(shape)
    book_name = group.get("codebook", name + "_codebook")
    book = stored[book_name].astype(np.float32)
    if stored[book_name].dtype == np.int8:
        book = book * stored[book_name + "_scale"]
    runs = n // channels if group.get("layout") == "input-channels" else 1  # cut into blocks one by one
    length, d = n // runs, book.shape[1]
    codes = unpack(packed, group["bits"], outputs * runs * -(-length // d))
    values = book[codes].reshape(outputs, runs, -1)[:, :, :length]
    values = values.transpose(0, 2, 1).reshape(outputs, channels, -1)
    if group.get("permuted"):
        order = stored.pop(name + "_permutation").astype(np.int64)
        values = values[:, np.argsort(order)]
    if group.get("scaled"):
        values = values * stored.pop(name + "_scale").astype(np.float32).reshape(rows)
    return values.reshape(shape)


def read_compact(path):
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
        stored = {name: file.get_tensor(name) for name in file.keys()}
    assert metadata["parsimony.format_version"] == "1"
    recipe = json.loads(metadata["parsimony.recipe"])
    weights, books = {}, set()
    for group in recipe.get("groups", []):
        for name in group["weights"]:
            weights[name] = weight(stored, name, group)
            if group["scheme"] == "product":
                books.add(group.get("codebook", name + "_codebook"))
    others = {name: value for name, value in stored.items()
              if name not in books and not (name.endswith("_scale") and name[:-6] in books)}
    if "halves" in recipe:
        others = {name: value.astype(np.float32) if value.dtype == np.float16 and name not in recipe["halves"] else value
                  for name, value in others.items()}
    model = {**others, **weights}
    return model | {alias: model[name] for alias, name in recipe.get("aliases", {}).items()}


if __name__ == "__main__":
    save_file({name: np.ascontiguousarray(value) for name, value in read_compact(sys.argv[1]).items()}, sys.argv[2])
