"""max|M| of the true operator as a certificate of local optimality, over cosparsity and number of signals, as Markdown.

    python3 experiments/operator_certificate/run.py > experiments/operator_certificate/table.md   (NumPy; release build)
    python3 experiments/operator_certificate/run.py --times >> experiments/operator_certificate/table.md   (quiet machine)
"""

import pathlib
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

SAMPLES = [96, 192, 384, 768]
COSPARSITIES = [6, 8, 10, 12]
SEEDS = 100
EXACT_SEEDS = 3
LARGE = [(64, 32, 2048, 22), (128, 64, 6000, 50)]


def untf(rows, cols, random):
    omega = random.standard_normal((rows, cols))
    for _ in range(2000):
        left, _, right = np.linalg.svd(omega, full_matrices=False)
        omega = left @ right
        norms = np.linalg.norm(omega, axis=1, keepdims=True)
        if abs(norms - np.sqrt(cols / rows)).max() < 1e-13:
            break
        omega *= np.sqrt(cols / rows) / norms
    return omega


def signals(omega, samples, cosparsity, random):
    rows, cols = omega.shape
    out = np.empty((samples, cols))
    for x in out:
        basis = np.linalg.qr(omega[random.permutation(rows)[:cosparsity]].T)[0]
        x[:] = random.standard_normal(cols)
        for _ in range(2):
            x -= basis @ (basis.T @ x)
        x /= np.linalg.norm(x)
    return out.astype(np.float32)


def check(folder, rows, cols, samples, cosparsity, seed, *flags):
    random = np.random.default_rng([rows, samples, cosparsity, seed])
    omega = untf(rows, cols, random)
    np.save(folder / "op.npy", omega)
    np.save(folder / "x.npy", signals(omega, samples, cosparsity, random))
    report = drive.report(drive.PARSIMONY, "operator", "check", folder / "op.npy", "--data", folder / "x.npy", "--json", "--quiet",
                          "--threads", 1, *flags, allowed=(0, drive.NOT_CONVERGED))
    return report["certificate"], sum(stage["seconds"] for stage in report["stages"])


def grid(title, cell):
    print(f"\n{title}\n\n| q \\ l | " + " | ".join(map(str, SAMPLES)) + " |\n|---|" + "---|" * len(SAMPLES))
    for q in COSPARSITIES:
        print(f"| {q} | " + " | ".join(cell(q, l) for l in SAMPLES) + " |", flush=True)


def spread(values, digits=2):
    return f"{min(values):.{digits}f}–{max(values):.{digits}f}"


def times():
    print("\nSeconds of the check, one thread, fastest of three (setup, search, program; files left out):\n\n"
          "| operator | l | q | verdict | max\\|M\\| | dimension of T | s | s with --exact |\n|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for size in [(24, 16, 768, 6), (24, 16, 768, 10), *LARGE]:
            runs = [check(folder, *size, 0) for _ in range(3)]
            c, seconds = runs[0][0], min(t for _, t in runs)
            exact = f"{check(folder, *size, 0, '--exact')[1]:.2f}" if size[0] == 24 else ""
            print(f"| {size[0]} x {size[1]} | {size[2]} | {size[3]} | {c['verdict']} | {c['multiplier']:.3f} | "
                  f"{c['tangent_dimension']} | {seconds:.4f} | {exact} |", flush=True)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        runs = {(q, l): [check(folder, 24, 16, l, q, seed)[0] for seed in range(SEEDS)] for q in COSPARSITIES
                for l in SAMPLES}
        exact = {(q, l): [check(folder, 24, 16, l, q, seed, "--exact")[0] for seed in range(EXACT_SEEDS)]
                 for q in COSPARSITIES for l in SAMPLES}
    for key, found in exact.items():  # the program and the search never contradict each other
        for program, search in zip(found, runs[key]):
            assert search["verdict"] in (program["verdict"], "undecided"), (key, program, search)

    print(f"The true operator, 24 x 16, tested on l signals of cosparsity q that it generated; {SEEDS} draws a cell.")
    grid("max|M| of the multipliers of least norm: median (smallest–largest). A value below 1 certifies to first order.",
         lambda q, l: "{:.2f} ({})".format(np.median([c["least_squares_multiplier"] for c in runs[q, l]]),
                                           spread([c["least_squares_multiplier"] for c in runs[q, l]])))
    grid(f"The smallest possible max|M|, by the linear program ({EXACT_SEEDS} draws). It is below 1 exactly where the "
         "operator is a strict local optimum.",
         lambda q, l: spread([c["exact_multiplier"][1] or np.inf for c in exact[q, l]], 3))
    grid("Verdicts without the program: certified / refuted / undecided. Certification needs max|M| < 1 and a curvature of the frames that does not\n"
         "outweigh the growth.",
         lambda q, l: " / ".join(str(sum(c["verdict"] == verdict for c in runs[q, l]))
                                 for verdict in ("certified", "refuted", "undecided")))


if __name__ == "__main__":
    times() if sys.argv[1:] == ["--times"] else main()
