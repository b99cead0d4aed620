"""Denoises the colour pictures of Kodak24 beside BM3D of PyPI, on the same draws of white noise.

    python bench/images/beside_bm3d.py [--parsimony build/release/cli/parsimony] [--side 256] [--step 1]

Writes bench/images/beside_bm3d.md. Needs NumPy, Pillow and bm3d 4.0.3 (bench/requirements.txt), and Kodak24.zip in the folder
images/real of PARSIMONY_DATA. The noise is not clipped, both get sigma, and seconds are those of the processor: for
Parsimony of the whole command, for BM3D of the call alone. BM3D takes half a minute for 500 x 500 pixels, so that the
middle of each picture is taken.
"""

import argparse
import io
import pathlib
import sys
import tempfile
import time
import zipfile

import numpy as np
from bm3d import bm3d_rgb
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

HERE = pathlib.Path(__file__).parent
METHODS = {"parsimony": (), "parsimony --adapt": ("--adapt",)}


def pictures(side, step):
    with zipfile.ZipFile(drive.existing(drive.DATA / "images/real/Kodak24.zip")) as archive:
        for name in sorted(archive.namelist())[::step]:
            pixels = np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB"), float)
            top, left = ((size - side) // 2 for size in pixels.shape[:2])
            yield name, pixels[top : top + side, left : left + side]


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((np.asarray(a, float) - b) ** 2))


def denoise(parsimony, noisy, sigma, flags, folder):
    """The denoised picture and the processor seconds."""
    source, out = folder / "in.npy", folder / "out.npy"
    np.save(source, noisy.astype(np.float32))
    done = drive.measure(parsimony, "operator", "denoise", source, "-o", out, "--sigma", sigma, "--threads", 1, "-q", *flags)
    return np.load(out), done.cpu


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    drive.add_flags(parser, threads=False)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--step", type=int, default=1, help="every n-th picture")
    parser.add_argument("--sigmas", type=int, nargs="+", default=[10, 25, 50])
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "beside_bm3d.md")
    arguments = parser.parse_args()
    everything = list(pictures(arguments.side, arguments.step))
    lines = ["# Colour pictures beside BM3D\n",
             f"`python bench/images/beside_bm3d.py`: the middle {arguments.side} x {arguments.side} pixels of pictures of Kodak24, one "
             "draw of the noise each. PSNR in dB, the mean over the pictures; seconds of the processor for a picture.\n",
             drive.head(arguments.parsimony, 1) + "\n",
             "| sigma | pictures | method | PSNR | less than BM3D: mean | worst picture | best picture | seconds |", "|---|---|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        for sigma in arguments.sigmas:
            found = {method: [] for method in (*METHODS, "BM3D")}
            for seed, (_, picture) in enumerate(everything):
                noisy = picture + sigma * np.random.default_rng(seed).normal(size=picture.shape)
                for method, flags in METHODS.items():
                    denoised, seconds = denoise(arguments.parsimony, noisy, sigma, flags, pathlib.Path(name))
                    found[method].append((psnr(denoised, picture), seconds))
                begin = time.process_time()
                denoised = bm3d_rgb(noisy, sigma)
                found["BM3D"].append((psnr(denoised, picture), time.process_time() - begin))
            peer = np.array(found["BM3D"])[:, 0]
            for method, values in found.items():
                values = np.array(values)
                less = peer - values[:, 0]
                words = f"{less.mean():.2f} | {less.max():.2f} | {less.min():.2f}" if method != "BM3D" else "| |"
                lines.append(f"| {sigma} | {len(everything)} | {method} | {values[:, 0].mean():.2f} | {words} | {values[:, 1].mean():.2f} |")
            drive.write(arguments.output, lines)
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
