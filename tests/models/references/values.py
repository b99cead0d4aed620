"""Weights that Python and the tests in C++ (reference_values.hpp) compute alike, so that no file has to hold them."""

import numpy


def numbers(name, count):
    """`count` numbers in [-1, 1), multiples of 2^-23, that depend on the name alone."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    x = (seed + numpy.arange(count, dtype=numpy.uint64) * 2654435761) % 2**32
    x = ((x ^ (x >> 16)) * 73244475) % 2**32
    x ^= x >> 16
    return (x >> 8).astype(numpy.float64) / 2**23 - 1


def tensor(name, shape):
    """Values of the size that a network of such layers has: weights about keep the variance, norms are near 1."""
    values = numbers(name, int(numpy.prod(shape)))
    if len(shape) >= 2:
        values *= numpy.sqrt(5.5 / numpy.prod(shape[1:]))
    elif name.endswith("running_var"):
        values = 1 + values / 2
    elif name.endswith("weight"):
        values = 1 + values / 4
    else:
        values /= 4
    return values.astype(numpy.float32).reshape(shape)


def fill(model):
    """Sets all parameters and buffers of floats of a PyTorch module."""
    import torch

    for name, value in model.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.from_numpy(tensor(name, tuple(value.shape))))
