"""Writes efficientnet.json: logits and numbers of parameters of timm's EfficientNets, with the weights of values.py.

    python tests/models/references/efficientnet.py     # needs torch, torchvision and timm
"""

import json
import math
import pathlib

import timm
import torch

import values

KINDS = {"b0": "same", "b1": "symmetric", "b3": "same", "lite0": "same", "lite3": "symmetric"}
SHAPE = (2, 3, 75, 62)  # odd and even sides: TensorFlow's padding treats them differently
CLASSES = 12
images = 8 * torch.from_numpy(values.numbers("images", math.prod(SHAPE)).astype("float32").reshape(SHAPE))

logits = []
for variant, padding in KINDS.items():
    name = ("tf_" if padding == "same" else "") + "efficientnet_" + variant
    model = timm.create_model(name, num_classes=CLASSES).eval()
    values.fill(model)
    with torch.no_grad():
        out = model(images)
    logits.append({"variant": variant, "padding": padding, "logits": [float(f"{x:.7g}") for x in out.flatten().tolist()]})

parameters = {}
for variant in [f"b{i}" for i in range(8)] + [f"lite{i}" for i in range(5)]:
    with torch.device("meta"):
        model = timm.create_model(f"tf_efficientnet_{variant}")
    parameters[variant] = sum(p.numel() for p in model.parameters())

record = {"timm": timm.__version__, "shape": SHAPE, "classes": CLASSES, "logits": logits, "parameters": parameters}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
