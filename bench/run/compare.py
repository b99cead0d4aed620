#!/usr/bin/env python3
"""RoBERTa-base and MiniLM beside ONNX Runtime and PyTorch, on the same tokens: compare.py FOLDER [--rounds 5]

Makes all files in FOLDER (2.5 GB), runs each engine in a process of its own, in turn, and prints a table for each network:
bytes of the file, processor milliseconds until it is loaded, peak memory of the process that runs 16 and 128 tokens, the
least milliseconds of a text of batch 1 (processor time with one thread, wall time with two), and for MiniLM Spearman's
correlation of cosines with people's scores on STS-2016. RoBERTa has random weights (experiments/quantizers/networks.py):
none can be had from packages, and times do not depend on them. Needs the packages of bench/run/requirements.txt.

--avx2 shows a machine without AVX-512 on one that has it, but for ONNX Runtime, which takes what it finds, and for PyTorch's int8."""

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parents[1] / "experiments/quantizers"))
import drive  # noqa: E402
import networks  # noqa: E402

TOKENS = (16, 128)
MINILM = drive.DATA / "minilm"
SIZES = ["--scheme pq8 --half", "--scheme pq4 --half", "--scheme levels3 --half", "--scheme levels4 --half", "--scheme int8 --half"]
CONFIG = {"model_type": "roberta", "vocab_size": 50265, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
          "intermediate_size": 3072, "max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": 1,
          "layer_norm_eps": 1e-5, "hidden_act": "gelu"}


def quantize(options, model, flags, out):
    if not out.exists():
        drive.run(options.parsimony, "quantize", model, *flags.split(), "--output", out, "-q")
    return out


def peers(options, model, folder, name):
    out = options.folder / name
    if not Path(f"{out}-channel.onnx").exists():
        drive.run(sys.executable, HERE / "make_peers.py", model, folder, out)
    return [("torch eager", "torch", model), ("torch dynamic int8", "torch-int8", model), ("ONNX Runtime float", "ort", Path(f"{out}.onnx")),
            ("ONNX Runtime int8, per channel", "ort", Path(f"{out}-channel.onnx")),
            ("ONNX Runtime int8, per tensor", "ort", Path(f"{out}-tensor.onnx"))]


def run_peer(engine, model, folder, threads, more=()):
    done = drive.measure(sys.executable, HERE / "peer.py", engine, model, folder, "--threads", threads,
                         "--tokens", ",".join(map(str, TOKENS)), *more, threads=threads)
    figures = json.loads(done.output)
    return {"load": 1e3 * figures["load"], "memory": figures["memory"]} | {count: 1e3 * figures[str(count)] for count in TOKENS}


def run_ours(options, model, threads, precision):
    done = drive.measure("env", f"PARSIMONY_BENCH_MODEL={model}", f"PARSIMONY_BENCH_THREADS={threads}", options.encoder_bench,
                         f"--benchmark_filter=encode_{precision}/(16|128)$|load", "--benchmark_repetitions=5", "--benchmark_min_time=0.05",
                         "--benchmark_format=json")
    figures = {"memory": 0}
    clock = "cpu_time" if threads == 1 else "real_time"
    for one in json.loads(done.output)["benchmarks"]:
        if one["run_type"] != "iteration":
            continue
        name = one["name"].split("/")
        key = "load" if name[0] == "load_alone" else int(name[1])
        figures["memory"] = max(figures["memory"], one.get("peak", 0))
        value = one["cpu_time" if key == "load" else clock]
        figures[key] = min(value, figures.get(key, value))
    return figures


def ranks(values):
    order = np.argsort(values, kind="stable")
    out = np.empty(len(values))
    out[order] = np.arange(len(values))
    for value in np.unique(values):
        same = values == value
        out[same] = out[same].mean()
    return out


def spearman(a, b):
    return np.corrcoef(ranks(np.asarray(a)), ranks(np.asarray(b)))[0, 1]


def sts():
    """Pairs and scores of STS-2016."""
    lines = drive.existing(drive.DATA / "text/sts16-test.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [(a.strip(), b.strip(), float(score)) for a, b, score, *_ in (line.split("\t") for line in lines)]


def peer_spearman(options, engine, model, folder):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(512)
    pairs = options.pairs
    texts, out = options.folder / "texts.json", options.folder / "embedded.npy"
    texts.write_text(json.dumps([tokenizer.encode(text).ids for pair in pairs for text in pair[:2]]))
    run_peer(engine, model, folder, 1, ("--embed", texts, out))
    vectors = np.load(out)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return spearman((vectors[::2] * vectors[1::2]).sum(1), [pair[2] for pair in pairs])


def our_spearman(options, model):
    path = options.folder / "pairs.tsv"
    path.write_text("".join(f"{a}\t{b}\n" for a, b, _ in options.pairs), encoding="utf-8")
    report = drive.report(options.parsimony, "run", model, "--pairs", path, "--json", "-q")
    return spearman([one["similarity"] for one in report["results"]], [pair[2] for pair in options.pairs])


def compare(options, title, rows, folder):
    """rows: name, engine ("ours PRECISION" or those of peer.py), model, Spearman's correlation or None."""
    best = {name: {} for name, *_ in rows}
    for threads in options.threads:
        for _ in range(options.rounds):
            for name, engine, model, _ in rows:
                ours, _, precision = engine.partition(" ")
                made = run_ours(options, model, threads, precision) if ours == "ours" else run_peer(engine, model, folder, threads)
                for key, value in made.items():
                    if key == "memory" and threads > 1:
                        continue
                    place = key if key in ("load", "memory") else (key, threads)
                    best[name][place] = min(value, best[name].get(place, value)) if key != "memory" else max(value, best[name].get(place, 0))
    print(f"\n{title}\n")
    names = ["", "bytes", "load, ms", "peak, MiB", *(f"{count} tokens, {threads} thread{'s' * (threads > 1)}, ms"
                                                      for threads in options.threads for count in TOKENS), "STS-2016"]
    print("\n".join(drive.table(names)))
    for name, _, model, score in rows:
        figures = best[name]
        size = model.stat().st_size + sum(part.stat().st_size for part in model.parent.glob(model.name + ".data"))
        cells = [name, f"{size:,}", f"{figures['load']:.0f}", f"{figures['memory']:.0f}",
                 *(f"{figures[count, threads]:.1f}" for threads in options.threads for count in TOKENS),
                 "" if score is None else f"{score:.4f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


def roberta(options):
    folder = options.folder / "roberta"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    model = options.folder / "roberta.safetensors"
    if not model.exists():
        networks.write(networks.roberta(), model)
    compact = quantize(options, model, "--preset paper", folder / "paper.safetensors")
    own = [("parsimony, `--preset paper`", "ours auto", compact, None)]
    if options.avx2:  # the fast mode, which is as slow as the others with VNNI
        own.append(("the same, `--precision integers6`", "ours integers6", compact, None))
    rows = [*own, *((*peer, None) for peer in peers(options, model, folder, "roberta"))]
    compare(options, "RoBERTa-base", rows, folder)


def minilm(options):
    model = drive.existing(MINILM / "all-minilm-l6-v2-fp16.safetensors")
    folder = options.folder / "minilm"
    folder.mkdir(exist_ok=True)
    for name in ("config.json", "tokenizer.json"):
        shutil.copyfile(MINILM / name, folder / name)
    options.pairs = sts()
    rows = []
    for flags in SIZES:
        compact = quantize(options, model, flags, folder / f"{flags.split()[1]}.safetensors")
        rows.append((f"parsimony, `{flags}`", "ours auto", compact, our_spearman(options, compact)))
    for name, engine, file in peers(options, model, folder, "minilm"):
        rows.append((name, engine, file, peer_spearman(options, engine, file, folder)))
    compare(options, "MiniLM-L6", rows, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=lambda text: [int(word) for word in text.split(",")], default=[1, 2])
    parser.add_argument("--networks", default="roberta,minilm")
    parser.add_argument("--encoder-bench", type=Path, default=drive.ROOT / "build/release/bench/run_encoder_bench")
    parser.add_argument("--avx2", action="store_true")
    drive.add_flags(parser, threads=False)
    options = parser.parse_args()
    if options.avx2:
        drive.take_avx2()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(drive.head(options.parsimony, " and ".join(map(str, options.threads))))
    for name in options.networks.split(","):
        {"roberta": roberta, "minilm": minilm}[name](options)


if __name__ == "__main__":
    main()
