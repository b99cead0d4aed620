"""A photograph without its noise, whose strength nobody tells."""

import numpy as np
from sklearn.datasets import load_sample_image

import parsimony_ml as pm

photo = load_sample_image("china.jpg")[100:292, 200:456]
noise = np.random.default_rng(0).normal(0, 20, photo.shape)
noisy = np.clip(photo + noise, 0, 255).astype(np.uint8)
better, sigma = pm.denoise(noisy, channel_axis=-1, return_sigma=True)
before, after = (pm.quality(image, photo, channel_axis=-1)["psnr"] for image in (noisy, better))
print(f"sigma {sigma[0]:.1f}, {before:.1f} dB -> {after:.1f} dB, {better.dtype} {better.shape}")
