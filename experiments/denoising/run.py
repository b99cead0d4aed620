"""The quality of the denoising methods on five pictures, in dB of the peak signal-to-noise ratio, as Markdown tables.

    python3 experiments/denoising/run.py > experiments/denoising/table.md     (from the project's root; numpy, pillow)
    python3 experiments/denoising/run.py 20                                   (a level of the noise alone)

Three draws of the noise per picture and level, not clipped; the same for every way. The tables have their means. At the end
operators are compared on the pictures they were learned from, by which what ships was chosen, and on gaps.
"""

import json
import pathlib
import sys

import numpy as np
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

DATA = drive.DATA / "images/test"
PARSIMONY = drive.PARSIMONY
WORK = drive.ROOT / "build/denoising"
PICTURES = ["barbara", "boat", "house", "cameraman", "peppers"]
SIGMAS = [5, 10, 20, 25, 50]
DRAWS = 3
# BM3D [dabov2007image], measured earlier by a C++ implementation in float32, on other draws of the noise.
BM3D = {10: [34.81, 33.91, 36.66, 34.06, 34.61], 20: [31.62, 30.86, 33.74, 30.36, 31.26],
        25: [30.56, 29.87, 32.81, 29.36, 30.17]}


def call(*words):
    """Processor seconds of the command, which the load of other programs does not change."""
    return drive.measure(PARSIMONY, *words).cpu


def psnr(found, clean):
    return 10 * np.log10(255**2 / np.mean((found.astype(np.float64) - clean) ** 2))


def total_variation(noisy, weight, iterations=40):
    """The minimiser of ½‖x − y‖² + weight · (|vertical differences| + |horizontal ones|): accelerated projected
    gradients on the dual."""
    p, q = np.zeros_like(noisy), np.zeros_like(noisy)  # p[i]: between rows i and i + 1; the last stays 0
    r, s, t = p.copy(), q.copy(), 1.0

    def primal(p, q):
        x = noisy + p + q
        x[1:] -= p[:-1]
        x[:, 1:] -= q[:, :-1]
        return x

    for _ in range(iterations):
        x = primal(r, s)
        new_p, new_q = r.copy(), s.copy()
        new_p[:-1] = np.clip(r[:-1] + np.diff(x, axis=0) / 8, -weight, weight)
        new_q[:, :-1] = np.clip(s[:, :-1] + np.diff(x, axis=1) / 8, -weight, weight)
        new_t = (1 + np.sqrt(1 + 4 * t * t)) / 2
        r, s = new_p + (t - 1) / new_t * (new_p - p), new_q + (t - 1) / new_t * (new_q - q)
        p, q, t = new_p, new_q, new_t
    return primal(p, q)


def best_total_variation(noisy, clean, sigma):
    """With the weight that suits the clean picture best, which users do not know: an upper bound."""
    return max(psnr(total_variation(noisy, np.float32(f * sigma)), clean) for f in (0.4, 0.5, 0.6, 0.7, 0.8))


def dct_rows(side=8):
    k, t = np.mgrid[:side, :side]
    waves = np.cos(np.pi * k * (2 * t + 1) / (2 * side)) * np.sqrt(np.where(k == 0, 1, 2) / side)
    return np.kron(waves, waves)[1:]


def geometric_rows():
    """128 rows under which the patches of the training pictures are sparse: not trained for denoising."""
    if not (WORK / "geometric.npy").exists():
        learn = [PARSIMONY, "operator", "learn", *sorted((DATA.parent / "learn").glob("*.png")), *"""--rows 128 --samples 34000
            --min-deviation 4 --nu 5000 --kappa 60 --mu 2 --stages 1 --batch-size 0 --max-iterations 250 --memory 20 --seed 0
            --quiet --output""".split(), WORK / "geometric.npy"]
        drive.run(*learn, allowed=(0, drive.NOT_CONVERGED))  # it stops at its limit of iterations
    return WORK / "geometric.npy"


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    np.save(WORK / "dct.npy", dct_rows())
    denoise = {
        "DCT rows, log penalty": ["--method", "analysis", "--operator", WORK / "dct.npy"],
        "geometric rows, log penalty": ["--method", "analysis", "--operator", geometric_rows()],
        "recipe A: rows trained for it, log penalty": ["--method", "analysis"],
        "recipe B: unrolled flow": ["--method", "flow"],
        "recipe B adapted to the image": ["--method", "flow", "--adapt"],
    }
    tv = "anisotropic TV, best weight per picture"
    ways = [tv, *denoise]
    cache = WORK / "results.json"  # a run that was broken off goes on; remove it to measure anew
    found = json.loads(cache.read_text()) if cache.exists() else {}

    def keep(key, value):
        found[key] = value
        cache.write_text(json.dumps(found))

    for sigma in [int(word) for word in sys.argv[1:]] or SIGMAS:
        for index, name in enumerate(PICTURES):
            clean = np.asarray(Image.open(DATA / f"{name}.png").convert("L")).astype(np.float64)
            for draw in range(DRAWS):
                rng = np.random.default_rng([index, sigma, draw])
                y = (clean + sigma * rng.standard_normal(clean.shape)).astype(np.float32)
                noisy, out = WORK / f"noisy-{sigma}-{name}.npy", WORK / f"found-{sigma}-{name}.npy"
                np.save(noisy, y)
                for way in ways:
                    key = f"{way}|{sigma}|{name}|{draw}"
                    if key in found:
                        continue
                    if way == tv:
                        keep(key, [best_total_variation(y, clean, sigma), 0])
                    else:
                        used = call("operator", "denoise", noisy, "--sigma", sigma, *denoise[way], "--threads", 1,
                                    "--quiet", "--output", out)
                        keep(key, [psnr(np.load(out), clean), used])

    def mean(way, sigma, name):
        return np.mean([found[f"{way}|{sigma}|{name}|{draw}"] for draw in range(DRAWS)], 0)

    print("Written by `experiments/denoising/run.py`; means of three draws of the noise per picture and level, not clipped.")
    for sigma in SIGMAS:
        if f"{ways[-1]}|{sigma}|{PICTURES[-1]}|{DRAWS - 1}" not in found:
            continue
        print(f"\n| sigma {sigma} | " + " | ".join(PICTURES) + " | mean |\n|---|" + "---|" * (len(PICTURES) + 1))
        rows = [(way, [mean(way, sigma, name)[0] for name in PICTURES]) for way in ways]
        if sigma in BM3D:
            rows.append(("BM3D, another draw", BM3D[sigma]))
        for way, values in rows:
            print(f"| {way} | " + " | ".join(f"{v:.2f}" for v in values) + f" | {np.mean(values):.2f} |")
    print("\n| processor seconds on one thread, the whole command | boat, 512 x 512 | house, 256 x 256 |\n|---|---|---|")
    for way in denoise:
        print(f"| {way} | " + " | ".join(f"{mean(way, 20, name)[1]:.2f}" for name in ("boat", "house")) + " |")
    if len(sys.argv) == 1:
        operators(found, keep)


def operators(found, keep):
    """Comparisons of rows that the tables above leave out."""
    rows = {"DCT rows": WORK / "dct.npy", "geometric rows": WORK / "geometric.npy", "rows trained for it": None}
    print("\n| sigma 20, the mean over the 200 x 200 pixels amid each of the 17 learning pictures | log penalty | l1 |\n|---|---|---|")
    noisy, out = WORK / "noisy-learn.npy", WORK / "found-learn.npy"
    for name, file in rows.items():
        chosen = ["--operator", file] if file else []
        for method in ("analysis", "l1"):
            key = f"learn|{method}|{name}"
            if key in found:
                continue
            values = []
            for index, path in enumerate(sorted((DATA.parent / "learn").glob("*.png"))):
                clean = np.asarray(Image.open(path).convert("L")).astype(np.float64)
                top, left = (clean.shape[0] - 200) // 2, (clean.shape[1] - 200) // 2
                clean = clean[top:top + 200, left:left + 200]
                np.save(noisy, (clean + 20 * np.random.default_rng([index, 7]).standard_normal(clean.shape)).astype(np.float32))
                call("operator", "denoise", noisy, "--sigma", 20, "--method", method, *chosen, "--quiet", "--output", out)
                values.append(psnr(np.load(out), clean))
            keep(key, np.mean(values))
        print(f"| {name} | {found[f'learn|analysis|{name}']:.2f} | {found[f'learn|l1|{name}']:.2f} |")

    print("\n| `operator inpaint`, pixels missing | " + " | ".join(PICTURES) + " | mean |\n|---|" + "---|" * (len(PICTURES) + 1))
    holed, mask = WORK / "holed.npy", WORK / "mask.png"
    for missing in (0.5, 0.8):
        for name, file in rows.items():
            values = []
            for index, picture in enumerate(PICTURES):
                key = f"gaps|{missing}|{name}|{picture}"
                if key not in found:
                    clean = np.asarray(Image.open(DATA / f"{picture}.png").convert("L")).astype(np.float64)
                    known = np.random.default_rng([index, 3]).random(clean.shape) >= missing
                    np.save(holed, np.where(known, clean, 0).astype(np.float32))
                    Image.fromarray((255 * known).astype(np.uint8)).save(mask)
                    call("operator", "inpaint", holed, "--mask", mask, *(["--operator", file] if file else []), "--quiet",
                         "--output", out)
                    keep(key, psnr(np.load(out), clean))
                values.append(found[key])
            print(f"| {100 * missing:.0f} %, {name} | " + " | ".join(f"{v:.2f}" for v in values) + f" | {np.mean(values):.2f} |")


if __name__ == "__main__":
    main()
