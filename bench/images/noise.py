"""Measures the estimate of the noise, and what denoising gains with it.

    python bench/images/noise.py build/release/cli/parsimony > bench/images/noise.md

Needs NumPy, Pillow, scikit-image and PyWavelets, and the pictures of PARSIMONY_DATA (../shared/data). Takes about ten
minutes of one core. Tables in Markdown:
- the estimate against the deviation of the noise that was added, for white noise in grey pictures of 8 bits, clipped,
  with a black border, with a white corner, and as JPEG, beside skimage.restoration.estimate_sigma;
- PSNR with the estimate against the best of a grid of sigmas, for noise that grows with the brightness;
- PSNR of real photographs of PolyU, before and after;
- the estimate on the six noisy pictures of RNI6, which have no clean version, before and after.
"""

import argparse
import io
import json
import os
import pathlib
import subprocess
import tempfile
import zipfile

import numpy as np
from PIL import Image
from skimage.restoration import estimate_sigma

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("PARSIMONY_DATA") or ROOT.parent / "shared/data") / "images"
SIDE = 256


def luminance(image):
    return np.round(np.asarray(image.convert("RGB"), float).mean(axis=2))


def pictures():
    for path in sorted((DATA / "test").glob("*.png")):
        yield path.stem, luminance(Image.open(path))[:SIDE, :SIDE]
    with zipfile.ZipFile(DATA / "real/Kodak24.zip") as archive:
        for name in ("kodim03", "kodim15", "kodim23"):
            yield name, luminance(Image.open(io.BytesIO(archive.read(f"{name}.png"))))[100 : 100 + SIDE, 100 : 100 + SIDE]


def in_bytes(values):
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def as_jpeg(values, quality):
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((np.asarray(a, float) - np.asarray(b, float)) ** 2))


class Command:
    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)

    def __call__(self, image, *flags):
        """The sigmas and the denoised image."""
        source = self.folder / "in.png"
        if isinstance(image, bytes):
            source = self.folder / "in.jpg"
            source.write_bytes(image)
        else:
            Image.fromarray(image).save(source, compress_level=1)
        out = self.folder / "out.png"
        run = subprocess.run(
            [self.program, "operator", "denoise", source, "--output", out, "--json", "--quiet", *flags],
            check=True, capture_output=True, text=True)
        return json.loads(run.stdout)["sigma"], np.asarray(Image.open(out))


def noisy(picture, sigma, condition, seed):
    values = picture.copy()
    if condition == "white corner":
        values[:64, :64] = 255
    found = in_bytes(values + sigma * np.random.default_rng(seed).normal(size=values.shape))
    if condition == "black border":
        found[:12] = found[-12:] = 0
    if condition.startswith("JPEG"):
        found = as_jpeg(found, int(condition.split()[1]))
    return found


def white(command):
    print("## White noise\n")
    print("Error of sigma in %, median and worst of 12 pictures; at 0 the estimate itself. The noise that the pictures have")
    print("of their own counts as error.\n")
    print("| condition | sigma | median | worst | scikit-image: median | worst |\n|---|---|---|---|---|---|")
    everything = list(pictures())
    for condition in ("clipped", "black border", "white corner", "JPEG 95", "JPEG 85", "JPEG 70"):
        for sigma in (0, 2, 5, 10, 20, 50):
            errors = []
            for seed, (_, picture) in enumerate(everything):
                image = noisy(picture, sigma, condition, seed)
                # Only the estimate counts: one step is the fastest method.
                sigmas = command(image, "--method", "analysis", "--max-iterations", "1")[0]
                both = np.array([sigmas[0], estimate_sigma(image.astype(float))])
                errors.append(both if sigma == 0 else 100 * abs(both / sigma - 1))
            middle, worst = np.median(errors, axis=0), np.max(errors, axis=0)
            print(f"| {condition} | {sigma} | {middle[0]:.1f} | {worst[0]:.1f} | {middle[1]:.1f} | {worst[1]:.1f} |",
                  flush=True)


def growing(command):
    print("\n## Noise that grows with the brightness\n")
    print("Variance a + b x at brightness x; the 24 pictures of Kodak in grey. PSNR with the estimate, and with the best sigma")
    print("of a grid of steps of 12 %.\n")
    print("| a | b | PSNR | of the best sigma | worst difference |\n|---|---|---|---|---|")
    with zipfile.ZipFile(DATA / "real/Kodak24.zip") as archive:
        everything = [luminance(Image.open(io.BytesIO(archive.read(f"kodim{i:02}.png"))))[100:356, 100:356]
                      for i in range(1, 25)]
    for a, b in ((4, 0.5), (9, 2), (25, 5)):
        rows = []
        for seed, picture in enumerate(everything):
            deviation = np.sqrt(a + b * picture)
            image = in_bytes(picture + deviation * np.random.default_rng(seed).normal(size=picture.shape))
            mean = np.sqrt(np.mean(deviation**2))
            best = max(psnr(command(image, "--sigma", str(mean * 1.12**k))[1], picture) for k in range(-5, 4))
            rows.append((psnr(command(image)[1], picture), best))
        rows = np.array(rows)
        print(f"| {a} | {b} | {rows[:, 0].mean():.2f} | {rows[:, 1].mean():.2f} | "
              f"{(rows[:, 0] - rows[:, 1]).min():.2f} |", flush=True)


def real(command, step):
    print("\n## Real photographs\n")
    print("PSNR in dB of PolyU's noisy JPEGs against their clean means.\n")
    print("| photograph | sigma found | before | gain | gain with sigma 5 |\n|---|---|---|---|---|")
    gains = []
    with zipfile.ZipFile(DATA / "real/PolyU-part.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith("_real.JPG"))[::step]
        for name in names:
            clean = np.asarray(Image.open(io.BytesIO(archive.read(name.replace("_real", "_mean")))))
            before = psnr(Image.open(io.BytesIO(archive.read(name))), clean)
            sigmas, found = command(archive.read(name))
            five = psnr(command(archive.read(name), "--sigma", "5")[1], clean) - before
            gains.append((psnr(found, clean) - before, five))
            print(f"| {name[:-9]} | {', '.join(f'{sigma:.1f}' for sigma in sigmas)} | {before:.2f} | {gains[-1][0]:+.2f} | "
                  f"{five:+.2f} |", flush=True)
    gains = np.array(gains)
    print(f"| mean of {len(gains)} | | | {gains[:, 0].mean():+.2f} | {gains[:, 1].mean():+.2f} |")
    print(f"| least | | | {gains[:, 0].min():+.2f} | {gains[:, 1].min():+.2f} |")


def without_truth(command):
    print("\n## Noisy pictures without a clean version\n")
    print("Sigma found in the pictures of RNI6, and in the denoised ones.\n")
    print("| picture | pixels | sigma found | then left |\n|---|---|---|---|")
    with zipfile.ZipFile(DATA / "real/RNI6.zip") as archive:
        for name in sorted(name for name in archive.namelist() if not name.endswith("/")):
            image = np.asarray(Image.open(io.BytesIO(archive.read(name))))
            sigmas, found = command(image)
            left = command(found)[0]
            print(f"| {pathlib.Path(name).stem} | {image.shape[1]} x {image.shape[0]} | "
                  f"{', '.join(f'{sigma:.1f}' for sigma in sigmas)} | {', '.join(f'{sigma:.1f}' for sigma in left)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the command parsimony")
    parser.add_argument("--only", choices=("white", "growing", "real", "without-truth"), help="one table")
    parser.add_argument("--step", type=int, default=1, help="every n-th photograph of PolyU")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = Command(arguments.program, folder)
        if not arguments.only:
            print("# The estimate of the noise\n\nBy `bench/images/noise.py`.\n")
        if arguments.only in (None, "white"):
            white(command)
        if arguments.only in (None, "growing"):
            growing(command)
        if arguments.only in (None, "real"):
            real(command, arguments.step)
        if arguments.only in (None, "without-truth"):
            without_truth(command)


if __name__ == "__main__":
    main()
