"""Denoising and inpainting: the command's results, layouts of arrays, units."""

import logging

import numpy as np
import pytest
from conftest import photograph
from PIL import Image

import parsimony_ml as pm


def noisy_photograph(sigma=20, seed=0):
    clean = photograph()
    return clean, clean + np.random.default_rng(seed).normal(0, sigma, clean.shape)


@pytest.fixture(scope="module")
def grey():
    clean, noisy = noisy_photograph()
    return clean, np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def colour():
    clean = photograph()
    clean = np.stack([clean, clean * 0.8 + 20, clean[::-1]], axis=-1)
    noisy = clean + np.random.default_rng(1).normal(0, 15, clean.shape)
    return clean, np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("keywords", [{}, {"sigma": 20}, {"method": "analysis", "max_iterations": 5}])
@pytest.mark.parametrize("kind", ["grey", "colour", "alpha", "deep"])
def test_images_are_those_of_the_command(tmp_path, command, grey, colour, kind, keywords):
    image = (colour if kind in ("colour", "alpha") else grey)[1]
    if kind == "alpha":
        image = np.dstack([image, np.full(image.shape[:2], 200, np.uint8)])
    if kind == "deep":
        image = image.astype(np.uint16) * 257
    Image.fromarray(image).save(tmp_path / "in.png")
    flags = [part for name, value in keywords.items() for part in (f"--{name.replace('_', '-')}", value)]
    command("operator", "denoise", tmp_path / "in.png", "--output", tmp_path / "out.png", *flags)
    scale = 257 if kind == "deep" else 1
    keywords = {name: value * scale if name == "sigma" else value for name, value in keywords.items()}
    out = pm.denoise(image, channel_axis=None if image.ndim == 2 else -1, **keywords)
    assert out.dtype == image.dtype
    assert (out == np.asarray(Image.open(tmp_path / "out.png"))).all()


def test_noise_is_taken_out(grey):
    clean, noisy = grey
    out, sigma, reports = pm.denoise(noisy, return_sigma=True, return_reports=True)
    assert sigma == pytest.approx(20, rel=0.1)
    before, after = (pm.quality(image, clean, data_range=255) for image in (noisy.astype(float), out.astype(float)))
    assert before["psnr"] == pytest.approx(10 * np.log10(255**2 / np.mean((noisy - clean) ** 2)), abs=1e-6)
    assert after["psnr"] > before["psnr"] + 8
    assert after["ssim"] > before["ssim"] + 0.3
    assert reports[0]["algorithm"]


def test_sigma_is_in_units_of_the_image(grey):
    noisy = grey[1]
    expected = pm.estimate_sigma(noisy)
    assert pm.estimate_sigma(noisy / 255) == pytest.approx(expected / 255, rel=1e-5)
    assert pm.estimate_sigma(noisy.astype(np.uint16) * 257) == pytest.approx(expected * 257, rel=1e-5)
    assert pm.estimate_sigma(noisy * 4.0, data_range=1020) == pytest.approx(expected * 4, rel=1e-5)
    out, sigma = pm.denoise(noisy / 255, return_sigma=True)
    assert out.dtype == np.float64
    assert sigma == pytest.approx(expected / 255, rel=1e-5)
    given = pm.denoise((noisy / 255).astype(np.float32), expected / 255)
    assert given.dtype == np.float32
    assert np.abs(given - out).max() < 1e-5
    assert np.abs(np.clip(np.rint(out * 255), 0, 255) - pm.denoise(noisy)).max() <= 1


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_colours_may_lie_on_any_axis(colour, axis):
    noisy = colour[1]
    expected, sigmas = pm.denoise(noisy, channel_axis=-1, return_sigma=True)
    assert len(sigmas) == 3
    assert sigmas == pm.estimate_sigma(noisy, channel_axis=2)
    moved = np.moveaxis(noisy, -1, axis)
    out = pm.denoise(moved, channel_axis=axis)
    assert out.flags.c_contiguous
    assert (np.moveaxis(out, axis, -1) == expected).all()


def test_alpha_stays_as_it_is(colour):
    alpha = np.random.default_rng(0).integers(0, 256, colour[1].shape[:2], dtype=np.uint8)
    out = pm.denoise(np.dstack([colour[1], alpha]), 15, channel_axis=-1)
    assert (out[..., 3] == alpha).all()
    assert (out[..., :3] != colour[1]).any()
    exact = np.random.default_rng(0).random(alpha.shape)  # float32 would round it
    assert (pm.denoise(np.dstack([colour[1] / 255, exact]), 0.06, channel_axis=-1)[..., 3] == exact).all()


def test_any_number_of_threads_gives_the_same_bytes(colour):
    assert len({pm.denoise(colour[1], channel_axis=-1, n_jobs=n).tobytes() for n in (1, 2, 3, 8)}) == 1


def test_inputs_are_not_changed(grey):
    before = grey[1].copy()
    pm.denoise(grey[1])
    pm.inpaint(grey[1], grey[1] > 200, max_iterations=1)
    assert (before == grey[1]).all()


def test_an_operator_of_ones_own(grey):
    own = pm.denoise(grey[1], method="analysis", analysis_operator=pm.shipped_operator())
    assert (own == pm.denoise(grey[1], method="analysis")).all()
    with pytest.raises(pm.InvalidArgumentError, match="analysis_operator: must have two dimensions"):
        pm.denoise(grey[1], method="analysis", analysis_operator=np.zeros(64))


def test_missing_pixels_are_filled_in(tmp_path, command, caplog):
    clean = photograph().round().astype(np.uint8)
    mask = np.random.default_rng(0).random(clean.shape) < 0.3
    holes = np.where(mask, 0, clean).astype(np.uint8)
    out = pm.inpaint(holes, mask, max_iterations=8)
    assert (out[~mask] == clean[~mask]).all()
    assert np.abs(out.astype(float) - clean)[mask].mean() < 3
    Image.fromarray(holes).save(tmp_path / "in.png")
    Image.fromarray((mask * 255).astype(np.uint8)).save(tmp_path / "mask.png")
    command("operator", "inpaint", tmp_path / "in.png", "--output", tmp_path / "out.png",
            "--mask", tmp_path / "mask.png", "--missing", "white", "--max-iterations", 8)  # fmt: skip
    assert (out == np.asarray(Image.open(tmp_path / "out.png"))).all()
    with caplog.at_level(logging.WARNING, logger="parsimony_ml"):
        pm.inpaint(clean, np.zeros_like(mask), max_iterations=1)
    assert "no pixel is missing" in caplog.text


@pytest.mark.parametrize("value", [np.nan, np.inf, -9999])
def test_values_of_missing_pixels_do_not_matter(value):
    clean = photograph() / 255
    mask = np.random.default_rng(0).random(clean.shape) < 0.3
    out = pm.inpaint(np.where(mask, value, clean), mask, max_iterations=3)
    assert (out == pm.inpaint(clean, mask, max_iterations=3)).all()


def test_missing_pixels_do_not_hide_the_range():
    grey = np.where(np.eye(80, 112), np.nan, photograph())
    with pytest.raises(pm.InvalidArgumentError, match="data_range: image has values up to 2"):
        pm.inpaint(grey, np.isnan(grey))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g, c: pm.denoise(c), "say channel_axis=-1 if the last axis holds the colours"),
        (lambda g, c: pm.denoise(g, channel_axis=-1), "has no image with channel_axis=-1"),
        (lambda g, c: pm.denoise(c, channel_axis=0), "channels; must be 1"),
        (lambda g, c: pm.denoise(g.astype(float)), "data_range: image has values up to 255; of floats"),
        (lambda g, c: pm.denoise(g.astype(np.int64)), "data_range: must be given for images of type int64"),
        (lambda g, c: pm.denoise(g, data_range=0), "data_range: must be above 0 and finite, not 0"),
        (lambda g, c: pm.denoise(g, sigma="a lot"), "sigma: must be a number or None, not 'a lot'"),
        (lambda g, c: pm.denoise(g, sigma=-3), "sigma: -3 is out of range"),
        (lambda g, c: pm.denoise(g, method="best"), "method: must be one of 'auto', 'flow', 'analysis', 'l1'"),
        (lambda g, c: pm.denoise(g, blur=3), "blur: there is no such keyword"),
        (lambda g, c: pm.denoise(g * 1j), "image: must be real numbers"),
        (lambda g, c: pm.denoise(g > 9, data_range=1), "image: must be real numbers, not of type bool"),
        (lambda g, c: pm.denoise(np.ma.masked_equal(g, g[0, 0])), "image: has masked values"),
        (lambda g, c: pm.denoise(g, np.full(g.shape, 20.0)), "sigma: must be a number or None"),
        (lambda g, c: pm.denoise(g, method="analysis", analysis_operator=np.eye(64) * 1j), "analysis_operator: must"),
        (lambda g, c: pm.denoise(g[:8, :8]), "16"),
        (lambda g, c: pm.inpaint(g, g[:5] > 3), "mask: shape .* is not that of the image"),
        (lambda g, c: pm.inpaint(g, g > 3, missing="black"), "missing: the mask is True where"),
        (lambda g, c: pm.inpaint(g, g >= 0), "no pixel"),
        (lambda g, c: pm.quality(g, g[:50]), "reference"),
    ],
)
def test_bad_images_are_refused(grey, colour, call, message):
    with pytest.raises(pm.InvalidArgumentError, match=message):
        call(grey[1], colour[1])
