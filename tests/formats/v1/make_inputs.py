"""Writes the inputs from which the files of this folder were made (README.md). Needs NumPy."""
import json
import struct
import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])


def safetensors(name, tensors):
    header, data = {}, b""
    for key, values in tensors.items():
        bytes_ = np.ascontiguousarray(values, dtype=np.float32).tobytes()
        header[key] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(bytes_)]}
        data += bytes_
    text = json.dumps(header).encode()
    (folder / name).write_bytes(struct.pack("<Q", len(text)) + text + data)


def grid(outputs, columns, bits):
    """All levels of so many bits in each output, in steps of 1/64: integers hold them exactly."""
    levels = (5 * np.arange(columns)[None, :] + 3 * np.arange(outputs)[:, None]) % 2**bits
    return (levels - 2 ** (bits - 1)) / 64


def blocks(outputs, columns, size):
    """Blocks that are one of 8, of multiples of 1/64 up to 127/64: codebooks of every type hold them exactly."""
    which = (3 * np.arange(outputs)[:, None] + np.arange(columns // size)[None, :] ** 2) % 8
    values = (29 * which[:, :, None] + 17 * np.arange(size)[None, None, :] * (which[:, :, None] + 1)) % 255 - 127
    values[which == 0] = 127
    return (values / 64).reshape(outputs, columns)


for bits, columns in ((8, 256), (4, 64), (3, 64), (2, 64)):
    weight = grid(8, columns, bits)
    tensors = {"a.weight": weight, "a.bias": np.arange(8) / 4}
    if bits == 8:
        tensors["tied.weight"] = weight
    safetensors(f"int{bits}.input", tensors)
safetensors("pq.input", {"a.weight": blocks(32, 64, 8), "a.bias": np.arange(32) / 4})
channels = blocks(32, 64, 4).reshape(32, 4, 16).transpose(0, 2, 1)  # 16 channels of 4 positions
safetensors("channels.input", {"a.weight": channels, "a.bias": np.arange(32) / 4})

angle = 2 * np.pi * np.arange(20) / 20
circle = np.stack([np.cos(angle), np.sin(angle)], 1)
np.save(folder / "points.npy", np.concatenate([circle, circle + [8, 0]]).astype(np.float32))
signals = np.cos(0.7 * np.arange(40)[:, None] * np.arange(1, 5)[None, :])
np.save(folder / "signals.npy", signals)
row, column = np.mgrid[0:24, 0:24]
np.save(folder / "image.npy", 128 + 60 * np.sin(row / 3) + 40 * (column > 11))
