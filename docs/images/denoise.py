"""The picture of the README: a noisy photograph, what `operator denoise` makes of it, the rows of the operator.

    python3 docs/images/denoise.py PHOTO.png OPERATOR.npy      (from the project's root; writes denoise.png)

PHOTO.png is any grey photograph of 192 × 192 pixels or more, of which that corner is shown with noise of deviation
20, seed 1; OPERATOR.npy has rows of 8 × 8 pixels. Needs NumPy and Matplotlib, and the command in build/release.
"""

import pathlib
import subprocess
import sys
import tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = ROOT / "build/release/cli/parsimony"
SIZE, SIGMA, GAP = 192, 20, 1


def atlas(rows):
    """The rows by their roughness, each as a square of its own scale."""
    tiles = rows.reshape(len(rows), 8, 8)
    rough = (np.diff(tiles, axis=1) ** 2).sum((1, 2)) + (np.diff(tiles, axis=2) ** 2).sum((1, 2))
    tiles = tiles[np.argsort(rough)]
    down, across = 11, -(-len(tiles) // 11)
    sheet = np.ones((down * (8 + GAP) - GAP, across * (8 + GAP) - GAP))
    for k, tile in enumerate(tiles):
        y, x = (k % down) * (8 + GAP), (k // down) * (8 + GAP)
        sheet[y : y + 8, x : x + 8] = 0.5 + tile / (2 * np.abs(tile).max())
    return sheet


def main():
    clean = plt.imread(sys.argv[1])
    clean = 255 * (clean if clean.ndim == 2 else clean[..., 0])[:SIZE, :SIZE]
    noisy = (clean + SIGMA * np.random.default_rng(1).standard_normal(clean.shape)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/noisy.npy", noisy)
        subprocess.run([COMMAND, "operator", "denoise", f"{folder}/noisy.npy", "--sigma", str(SIGMA), "--output",
                        f"{folder}/out.npy", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        found = np.load(f"{folder}/out.npy")
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.3), dpi=100, layout="constrained")
    panels = [("noisy, %.1f dB", noisy, 255), ("denoised, %.1f dB", found, 255),
              ("rows of the operator", atlas(np.load(sys.argv[2])), 1)]
    for axis, (title, pixels, top) in zip(axes, panels):
        if "%" in title:
            title %= 10 * np.log10(255**2 / np.mean((pixels - clean) ** 2))
        axis.imshow(pixels, cmap="gray", vmin=0, vmax=top, interpolation="nearest")
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    figure.savefig(ROOT / "docs/images/denoise.png")


if __name__ == "__main__":
    main()
