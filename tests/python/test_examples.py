"""The scripts of examples/python run, and print what they promise."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import parsimony_ml as pm

EXAMPLES = Path(__file__).parents[2] / "examples" / "python"

# For each script the numbers of its output, each with the least that is right.
PROMISES = {
    "karate_networkx": {r"modularity (.*)": 0.403},
    "karate_igraph": {r"modularity (.*)": 0.4197},
    "cells_anndata": {r"index (.*)": 0.98},
    "digits_predict": {r"fitted (.*)": 0.75, r"new (.*)": 0.75},
    "choose_k": {r"7 (.*) <": 0.95},
    "denoise_photo": {r"-> ([0-9.]+) dB, uint8 \(192, 256, 3\)": 28},
    "learn_operator": {r"(.*) of 11 differences": 11},
    "sentences": {},
    "train_with_noise": {r"accuracy (.*)": 0.85},
    "compress_minilm": {r"cosine (.*)": 0.98, r"\n(\S+) ": 0.5},
}
PACKAGES = {
    "karate_igraph": "igraph",
    "cells_anndata": "anndata",
    "train_with_noise": "torch",
    "compress_minilm": "transformers",
}
DATA = Path(os.environ.get("PARSIMONY_DATA", Path(__file__).parents[3] / "shared" / "data"))


def run(name, tmp_path):
    package = str(Path(pm.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": package, "PARSIMONY_DATA": str(DATA), "HF_HUB_OFFLINE": "1"},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", PROMISES)
def test_example(name, tmp_path):
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])
    if name == "compress_minilm" and not (DATA / "minilm").is_dir():
        pytest.skip(f"needs {DATA / 'minilm'}")
    out = run(name, tmp_path)
    for pattern, least in PROMISES[name].items():
        assert float(re.search(pattern, out)[1]) >= least, out
    if name == "sentences":
        topics = [line.split(" ", 1) for line in out.splitlines()]
        assert [int(size) for size, _ in topics] == [60, 60, 60, 60], out
