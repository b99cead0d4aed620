"""The page of a run, opened in headless Chromium where it is installed."""

import re
import shutil
import subprocess

import matplotlib
import numpy as np
import pytest
from PIL import Image

import parsimony_ml as pm

matplotlib.use("agg")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (Debian: apt install chromium)")


def open_page(page, folder, *options):
    """The output of the browser, for which no address of the network is there."""
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}", "--window-size=1100,4000",
            "--enable-logging=stderr", "--v=0", *options, page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    faults = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not faults
    return done.stdout


def text_of(dom):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r"<(style|script).*?</\1>", " ", dom, flags=re.DOTALL)))


@needs_chromium
def test_a_browser_shows_the_page_of_a_clustering(blocks, tmp_path):
    found = pm.cluster(blocks[0], 4, method="compressive")
    page = tmp_path / "run.html"
    found.report.save(page, pictures={"The clusters": found.plot()})
    source = page.read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"(?!data:|#)", source)
    dom = open_page(page, tmp_path, "--dump-dom")
    text = text_of(dom)
    for expected in ("The clusters", "4 clusters" if "4 clusters" in source else "compressive", "seconds", "order"):
        assert expected in text, text[:2000]
    assert dom.count("<img") >= 1
    picture = tmp_path / "page.png"
    open_page(page, tmp_path, f"--screenshot={picture}")
    shown = np.asarray(Image.open(picture).convert("RGB")).reshape(-1, 3)
    # The picture has the blue of its matrix and of its bars, which the text has not.
    blue = (shown[:, 2] > 120) & (shown[:, 0] < 90) & (shown[:, 1] < 170)
    assert blue.sum() > 5000


@needs_chromium
def test_a_browser_shows_the_page_of_the_command(command, tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "points.npy", rng.normal(size=(300, 2)) + 9 * np.eye(3)[rng.integers(0, 3, 300)][:, :2])
    page = tmp_path / "run.html"
    command("cluster", tmp_path / "points.npy", "--clusters", 3, "--output", tmp_path / "labels.npy", "--report", page)
    text = text_of(open_page(page, tmp_path, "--dump-dom"))
    for expected in ("parsimony cluster", "--clusters 3", "points.npy", "modularity"):
        assert expected in text, text[:2000]
