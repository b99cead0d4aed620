"""Denoising of images as a transformer."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from .._arrays import to_numpy
from .._errors import InvalidArgumentError
from .._images import denoise
from ._parameters import options_of


class ImageDenoiser(TransformerMixin, BaseEstimator):
    """Takes the noise out of images. It learns nothing from X: ``fit`` only checks it.

    Args:
        sigma (float or None): Standard deviation of the noise in units of the images; None: estimated in each image.
        channel_axis (int or None): Axis of the colours in an image, as -1; None: grey images.
        data_range (float or None): Value of white; None: 255 or 65535 for uint8 and uint16, 1 for floats.
        options (dict or None): More options of :func:`parsimony_ml.denoise`.
        n_jobs, progress, max_memory: As for :func:`parsimony_ml.cluster`.
    """

    def __init__(
        self,
        sigma: Any = None,
        *,
        channel_axis: Any = None,
        data_range: Any = None,
        options: Any = None,
        n_jobs: Any = None,
        progress: Any = None,
        max_memory: Any = None,
    ) -> None:
        self.sigma = sigma
        self.channel_axis = channel_axis
        self.data_range = data_range
        self.options = options
        self.n_jobs = n_jobs
        self.progress = progress
        self.max_memory = max_memory

    def fit(self, X: Any, y: Any = None) -> ImageDenoiser:
        """Checks the shape of X: n images of height × width, or of three axes with ``channel_axis``."""
        self._images_of(X)
        return self

    def transform(self, X: Any) -> Any:
        """The images without their noise: an array like X, or a list where X is one."""
        out = [
            denoise(
                image,
                self.sigma,
                channel_axis=self.channel_axis,
                data_range=self.data_range,
                n_jobs=self.n_jobs,
                progress=self.progress,
                max_memory=self.max_memory,
                **options_of(self),
            )
            for image in self._images_of(X)
        ]
        return out if isinstance(X, (list, tuple)) else np.stack(out)

    def _images_of(self, X: Any) -> Any:
        axes = 2 if self.channel_axis is None else 3
        if isinstance(X, (list, tuple)):
            return X
        images = to_numpy(X, "X")
        if images.ndim != axes + 1 or len(images) == 0:
            raise InvalidArgumentError(
                f"X: must be images, an array of {axes + 1} axes with one image at least, not shape {images.shape}"
            )
        return images

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags
