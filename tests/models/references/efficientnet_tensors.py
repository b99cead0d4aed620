"""The tensors of an EfficientNet with timm's names and the values of values.py."""

import math

import values

# Table 1 of the paper: repetitions, kernel, stride, expansion, channels.
STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
          (1, 3, 1, 6, 320)]  # fmt: skip


def scaled(channels, width):
    """The nearest multiple of 8, and the next one where that loses more than a tenth."""
    nearest = max(8, int(channels * width + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels * width else nearest


def tensors(width, depth, lite, classes):
    """Width and depth are the factors of the variant: 1 and 1 for B0 and Lite0, 1.2 and 1.4 for B3."""
    shapes = {}
    stem, head = (32, 1280) if lite else (scaled(32, width), scaled(1280, width))

    def norm(name, channels):
        shapes.update({f"{name}.{part}": [channels] for part in ("weight", "bias", "running_mean", "running_var")})

    shapes["conv_stem.weight"] = [stem, 3, 3, 3]
    norm("bn1", stem)
    channels = stem
    for stage, (repeats, kernel, _, expansion, out) in enumerate(STAGES):
        out = scaled(out, width)
        fixed = lite and stage in (0, len(STAGES) - 1)
        for index in range(repeats if fixed else math.ceil(repeats * depth)):
            name, wide, narrow = f"blocks.{stage}.{index}", channels * expansion, expansion == 1
            if not narrow:
                shapes[f"{name}.conv_pw.weight"] = [wide, channels, 1, 1]
                norm(f"{name}.bn1", wide)
            shapes[f"{name}.conv_dw.weight"] = [wide, 1, kernel, kernel]
            norm(f"{name}.bn1" if narrow else f"{name}.bn2", wide)
            if not lite:
                shapes[f"{name}.se.conv_reduce.weight"] = [channels // 4, wide, 1, 1]
                shapes[f"{name}.se.conv_reduce.bias"] = [channels // 4]
                shapes[f"{name}.se.conv_expand.weight"] = [wide, channels // 4, 1, 1]
                shapes[f"{name}.se.conv_expand.bias"] = [wide]
            shapes[f"{name}.conv_pw.weight" if narrow else f"{name}.conv_pwl.weight"] = [out, wide, 1, 1]
            norm(f"{name}.bn2" if narrow else f"{name}.bn3", out)
            channels = out
    shapes["conv_head.weight"] = [head, channels, 1, 1]
    norm("bn2", head)
    shapes["classifier.weight"] = [classes, head]
    shapes["classifier.bias"] = [classes]
    return {name: values.tensor(name, shape) for name, shape in shapes.items()}
