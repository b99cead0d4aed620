#!/usr/bin/env python3
"""Reads a compact file of parsimony quantize without parsimony: read_compact.py SMALL.safetensors MODEL.safetensors

docs/formats/compact.md says what each tensor is. Weights come out as float32, all else as it is; needs numpy."""
import json
import sys
import zlib

import numpy as np

# Dtypes of tensors that decoding computes with. Other tensors stay bytes: numpy may not have their dtype.
DTYPES = {"F32": "<f4", "F16": "<f2", "I8": "i1", "U8": "u1", "I16": "<i2", "I32": "<i4", "I64": "<i8"}
WIDTHS = {"BOOL": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
          "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8, "C64": 8}


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    checksum = f"crc32:{zlib.crc32(data):08x}"
    if metadata.get("parsimony.checksum", checksum) != checksum:
        sys.exit(f"{path}: its data does not have the checksum of its metadata: bits were changed after it was written")
    return metadata, {name: (info["dtype"], info["shape"], data[slice(*info["data_offsets"])])
                      for name, info in header.items()}


def inflate(stored):
    header = json.loads(zlib.decompress(stored["parsimony.header"][2]))
    data, begin, tensors = stored["parsimony.data"][2], 0, {}
    for name, dtype, shape, *values in header["tensors"]:
        size = int(np.prod(shape, dtype=np.int64)) * WIDTHS[dtype]
        content = np.array(values[0], "<i8").tobytes() if values else data[begin:begin + size]
        begin += 0 if values else size
        tensors[name] = dtype, shape, content
    return header["metadata"], tensors


def write_safetensors(path, metadata, tensors):
    header, end = {"__metadata__": metadata}, 0
    # The widest first, so that every tensor begins at a multiple of its width.
    order = sorted(tensors, key=lambda name: (-len(tensors[name][2]) // max(1, int(np.prod(tensors[name][1]))), name))
    for name in order:
        dtype, shape, data = tensors[name]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + len(data)]}
        end += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.writelines(tensors[name][2] for name in order)


def array(tensor):
    dtype, shape, data = tensor
    return np.frombuffer(data, DTYPES[dtype]).reshape(shape)


def floats(values):
    return "F32", list(values.shape), values.astype("<f4").tobytes()


def unpack(packed, bits, count):
    stream = np.unpackbits(packed, bitorder="little")[: count * bits]
    return stream.reshape(count, bits).astype(np.int64) @ (1 << np.arange(bits))


def weight(stored, name, group):
    model_shape = array(stored.pop(name + "_shape"))
    outputs = group.get("outputs", [0])  # these dimensions together are the first of the coded weight
    order = outputs + group.get("inputs", list(range(1, len(model_shape))))
    shape = [int(np.prod(model_shape[outputs])), *model_shape[order[len(outputs):]]]
    coded = decoded(stored, name, group, shape).reshape(model_shape[order])
    return np.ascontiguousarray(coded.transpose(np.argsort(order)))


def integers(stored, name, group, shape, packed):
    outputs, n, bits = shape[0], int(np.prod(shape[1:])), group["bits"]
    codes = unpack(packed, bits, outputs * n).reshape(outputs, n)
    scale = array(stored.pop(name + "_scale"))
    if scale.dtype == np.uint8:
        scale = array(stored.pop(name + "_scale_values"))[scale]
    length = group.get("group", n)

    def spread(values):  # from one for each group, or one for all, to one for each value
        groups = -(-n // length) if "group" in group else 1
        return np.broadcast_to(values.reshape(-1, groups).repeat(length, axis=1)[:, :n], (outputs, n))

    if group.get("levels"):
        values = array(stored.pop(name + "_levels"))[codes]
    else:
        zero = array(stored.pop(name + "_zero_point"))
        if group.get("packed_zeros"):
            zero = unpack(zero, bits, scale.size)
        values = (codes - spread(zero.astype(np.int64))).astype(np.float32)
    return values * spread(scale.astype(np.float32))


def decoded(stored, name, group, shape):
    outputs, channels, n = shape[0], shape[1], int(np.prod(shape[1:]))
    packed = array(stored.pop(name + "_packed"))
    if group["scheme"] == "integer":
        return integers(stored, name, group, shape, packed)
    book_name = group.get("codebook", name + "_codebook")
    book = array(stored[book_name]).astype(np.float32)
    if stored[book_name][0] == "I8":
        book = book * array(stored[book_name + "_scale"]).astype(np.float32)[:, None]
    runs = n // channels if group.get("layout") == "input-channels" else 1  # cut into blocks one by one
    length, d = n // runs, book.shape[1]
    codes = unpack(packed, group["bits"], outputs * runs * -(-length // d))
    values = book[codes].reshape(outputs, runs, -1)[:, :, :length]
    values = values.transpose(0, 2, 1).reshape(outputs, channels, -1)
    if group.get("permuted"):
        order = array(stored.pop(name + "_permutation")).astype(np.int64)
        values = values[:, np.argsort(order)]
    if group.get("scaled"):
        values = values * array(stored.pop(name + "_scale")).astype(np.float32).reshape(-1, 1, 1)
    return values


def read_compact(path):
    metadata, stored = read_safetensors(path)
    if "parsimony.header" in stored and "parsimony.recipe" not in metadata:
        metadata, stored = inflate(stored)
    if "parsimony.recipe" not in metadata:
        sys.exit(f"{path}: no compact file: its metadata has no parsimony.recipe")
    if metadata["parsimony.format_version"] not in ("1", "3", "4"):
        sys.exit(f"{path}: a compact file of version {metadata['parsimony.format_version']}; this reads 1 to 4")
    recipe = json.loads(metadata["parsimony.recipe"])
    weights, books = {}, set()
    for group in recipe.get("groups", []):
        for name in group["weights"]:
            weights[name] = floats(weight(stored, name, group))
            if group["scheme"] == "product":
                books.add(group.get("codebook", name + "_codebook"))
    books |= {name + "_scale" for name in books if stored[name][0] == "I8"}
    others = {name: tensor for name, tensor in stored.items() if name not in books}
    if "halves" in recipe:
        others = {name: floats(array(tensor)) if tensor[0] == "F16" and name not in recipe["halves"] else tensor
                  for name, tensor in others.items()}
    for norm in recipe.get("folded", []):  # batch norms whose running means are 0, and variances 1
        shape = others[norm + ".weight"][1]
        others[norm + ".running_mean"], others[norm + ".running_var"] = floats(np.zeros(shape)), floats(np.ones(shape))
    model = {**others, **weights}
    model |= {alias: model[name] for alias, name in recipe.get("aliases", {}).items()}
    return {key: text for key, text in metadata.items() if not key.startswith("parsimony.")}, model


if __name__ == "__main__":
    write_safetensors(sys.argv[2], *read_compact(sys.argv[1]))
