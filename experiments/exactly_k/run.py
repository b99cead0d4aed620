"""Exactly k clusters: the automatic method beside exact spectral clustering, the papers' methods and Leiden.

    build/venv/bin/python experiments/exactly_k/run.py threshold      block models up to the detectability threshold
    build/venv/bin/python experiments/exactly_k/run.py fresh          LFR and degree-corrected graphs, plain and weighted
    build/venv/bin/python experiments/exactly_k/run.py real           graphs with known classes

(from the project's root, after ./dev build; the environment is that of bench/requirements.txt). Each writes its table,
NAME.md beside this file, the first also threshold.png. Adjusted Rand index against the planted clusters, mean and 95 %
interval (Student's t) over seeds. `leiden` finds its own number of clusters; `leiden-scan` is given the truth: of 19
resolutions the one of highest ARI, a bound on what tuning can reach.
"""

import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "bench/cluster"))
import compare  # noqa: E402
from compare import drive  # noqa: E402

RATIOS = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
# Seeds that no constant of the method was chosen on.
FRESH_SEEDS = [1001, 1002, 1003]
FRESH = [
    *((f"LFR 50,000, μ = {mu}{suffix}", ["lfr", "--nodes", 50000, "--mean-degree", 8, "--max-degree", 100, "--max-community", 500,
                                          "--min-community", 50, "--mixing", mu, *flags])
      for mu in (0.2, 0.4, 0.6) for suffix, flags in (("", []), (", weighted", ["--weights", "lognormal"]))),
    *((f"degree-corrected block model 20,000, k = {k}, {ratio} ε_c{suffix}",
       ["sbm", "--nodes", 20000, "--clusters", k, "--epsilon-ratio", ratio, "--degree-exponent", 2.5, *flags])
      for k, ratio in ((20, 0.3), (20, 0.5), (100, 0.3)) for suffix, flags in (("", []), (", weighted", ["--weights", "lognormal"]))),
]
REAL = [("email-Eu-core", "email-Eu-core.txt", "email-Eu-core-department-labels.txt"), ("Pubmed", "pubmed.edges", "pubmed.labels"),
        ("LFR file, μ = 0.1", "lfr/lfr-mu0.1.edges.gz", "lfr/lfr-mu0.1.labels.gz"),
        ("LFR file, μ = 0.3", "lfr/lfr-mu0.3.edges.gz", "lfr/lfr-mu0.3.labels.gz")]


def cell(values):
    return "not finished" if any(value is None for value in values) else drive.mean(values)


def scores(options, case, methods, seed, work):
    """ARI of each method, None where it did not finish."""
    compare.prepare(options, case, work)
    out = {}
    for method in methods:
        row = compare.measure(options, case, method, case["clusters"][0], seed, work)
        out[method] = row.get("ARI")
    return out


def made(options, arguments, seed, work):
    graph, truth = work / "graph.mtx", work / "truth.txt"
    drive.run(options.parsimony, "generate", *arguments, "--seed", seed, "--output", graph, "--labels", truth, "--quiet")
    return {"name": "made", "graph": graph, "truth": truth, "clusters": None}


def write(name, lines):
    drive.write(HERE / f"{name}.md", lines)


def rows(name, head, methods, cases):
    """cases: label, seeds, function of (seed, work) to a case, methods left out."""
    lines = [head, "", "| graph | k | " + " | ".join(methods) + " |", "|---" * (2 + len(methods)) + "|"]
    means = {}
    for label, seeds, source, without in cases:
        found = []
        with tempfile.TemporaryDirectory() as folder:
            for seed in seeds:
                case = source(seed, pathlib.Path(folder))
                found.append(scores(OPTIONS, case, [m for m in methods if m not in without], seed, pathlib.Path(folder)))
        cells = [cell([one[m] for one in found]) if m not in without else "" for m in methods]
        means[label] = cells
        lines.append(f"| {label} | {case['clusters'][0]} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
        write(name, lines)
    return means


def threshold():
    methods = ["parsimony-auto", "parsimony-auto-fast", "parsimony-exact", "parsimony-interpolate", "parsimony-filtered", "leiden",
               "leiden-scan"]
    cases = [(f"{ratio} ε_c", range(10), lambda seed, work, ratio=ratio: made(OPTIONS, [
        "sbm", "--nodes", 20000, "--clusters", 20, "--epsilon-ratio", ratio], seed, work), []) for ratio in RATIOS]
    means = rows("threshold", "Block models of 20,000 nodes, k = 20, mean degree 16, seeds 0 to 9.", methods, cases)
    figure, axis = drive.plots().subplots(figsize=(7, 4.4), constrained_layout=True)
    for place, method in enumerate(methods):
        points = [[float(part) for part in means[f"{ratio} ε_c"][place].split("±")] for ratio in RATIOS]
        axis.errorbar(RATIOS, [p[0] for p in points], [p[1] for p in points], label=method, marker=".", capsize=3)
    axis.set_xlabel("ε / ε_c")
    axis.set_ylabel("adjusted Rand index")
    axis.set_title("Block models, 20,000 nodes, k = 20, mean degree 16")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    figure.savefig(HERE / "threshold.png", dpi=110)


def fresh():
    methods = ["parsimony-auto", "leiden", "louvain", "leiden-scan"]
    cases = [(label, FRESH_SEEDS, lambda seed, work, arguments=arguments: made(OPTIONS, arguments, seed, work), [])
             for label, arguments in FRESH]
    rows("fresh", f"Graphs of seeds {FRESH_SEEDS}, on which nothing was tuned. Weights are log-normal.", methods, cases)


def real():
    methods = ["parsimony-auto", "parsimony-auto-thorough", "parsimony-exact", "parsimony-filtered", "sklearn", "leiden", "louvain",
               "leiden-scan"]
    large = ["sklearn", "parsimony-exact", "parsimony-filtered"]  # take minutes there
    cases = [(label, range(5) if "file" not in label else range(3), lambda seed, work, graph=graph, truth=truth: {
        "name": graph, "graph": compare.DATA / graph, "truth": compare.DATA / truth, "clusters": None},
              large if "file" in label else []) for label, graph, truth in REAL]
    cases.insert(2, ("digits, 10 nearest neighbours", range(5), lambda seed, work: compare.digits(work), []))
    rows("real", "Graphs with known classes, seeds of the methods 0 to 4 (LFR files: 0 to 2).", methods, cases)


OPTIONS = compare.parse(["--sbm", "1,1", "--limit", "600"])
{"threshold": threshold, "fresh": fresh, "real": real}[sys.argv[1]]()
