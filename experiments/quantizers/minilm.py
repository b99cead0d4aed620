#!/usr/bin/env python3
"""Sentence vectors of MiniLM from compact files and from plain quantizers: minilm.py PARSIMONY MODEL_FOLDER TEXT_FOLDER

MODEL_FOLDER has all-minilm-l6-v2-fp16.safetensors and vocab.txt, TEXT_FOLDER the GLUE files and sts16-test.tsv. Prints,
beside the bytes of the file, the mean cosine of 200 sentences of SST-2, CoLA and RTE with the vectors of the floats; how
often the nearest other sentence stays the same, among these and among the 2,372 of STS-2016; and Spearman's correlation
with the scores of STS-2016. Runs with --feedback have a calibration of 250 other sentences. Plain quantizers of the same
size, twenty lines each, stand beside them. A second table pairs runs with the plain quantizer of their size, sentence by
sentence. Runs and names of plain quantizers as further arguments choose rows. Needs numpy."""
import json
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import read_compact  # noqa: E402

# One run of parsimony quantize each, without --layers or --exclude.
RUNS = ["--scheme int8", "--scheme levels4 --half", "--scheme levels4 --half --feedback", "--scheme int4g64 --half",
        "--budget 9.5MB --half", "--budget 9.5MB --half --feedback", "--scheme levels3 --half", "--scheme levels3 --half --feedback",
        "--scheme levels2g32 --half", "--scheme levels2g32 --half --feedback",
        "--scheme levels2 --half", "--scheme levels2 --half --feedback", "--budget 6MB --half", "--budget 6MB --half --feedback"]

# A run, and the plain quantizer of the same bytes.
PAIRS = [("--scheme int8", "int8 per channel, the largest value"),
         ("--scheme levels4 --half", "NF4 in groups of 64"),
         ("--scheme levels4 --half --feedback", "NF4 in groups of 64"),
         ("--scheme levels4 --half --feedback", "int4 in groups of 64, zero points, searched"),
         ("--scheme levels3 --half --feedback", "int3 in groups of 64, zero points, searched"),
         ("--budget 9.5MB --half --feedback", "int3 in groups of 64, zero points, searched"),
         ("--scheme levels2g32 --half --feedback", "int2 in groups of 64, zero points, searched")]


def floats(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    kinds = {"F32": "<f4", "F16": "<f2"}
    return {name: np.frombuffer(data[slice(*info["data_offsets"])], kinds[info["dtype"]]).reshape(info["shape"])
            .astype(np.float32) for name, info in header.items() if name != "__metadata__" and info["dtype"] in kinds}


def words(text):
    text = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    return "".join(f" {c} " if not (c.isalnum() or c.isspace()) else c for c in text).split()


def word_pieces(word, vocabulary):
    pieces, begin = [], 0
    while begin < len(word):
        end = len(word)
        while end > begin and ("##" if begin else "") + word[begin:end] not in vocabulary:
            end -= 1
        if end == begin:
            return [vocabulary["[UNK]"]]
        pieces.append(vocabulary[("##" if begin else "") + word[begin:end]])
        begin = end
    return pieces


def column(path, index, header=1):
    lines = path.read_text(encoding="utf-8").splitlines()[header:]
    return [line.split("\t")[index] for line in lines if line.count("\t") >= index]


def sentences(folder, begin=(0, 0, 0), each=(70, 70, 60)):
    parts = (column(folder / "SST-2/dev.tsv", 0), column(folder / "CoLA/dev.tsv", 3, 0), column(folder / "RTE/dev.tsv", 1))
    return [text for part, first, count in zip(parts, begin, each) for text in part[first:first + count]]


def gelu(x):
    # erf by Abramowitz and Stegun 7.1.26, off by 1.5e-7 at most
    z = np.abs(x) / np.float32(np.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * z)
    tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * np.exp(-z * z)
    return x * 0.5 * (1 + np.sign(x) * (1 - tail))


def norm(x, weights, name):
    centred = x - x.mean(-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
    return centred / deviation * weights[name + ".weight"] + weights[name + ".bias"]


def vectors_of_length(weights, ids, inputs, heads=12):
    """ids: sentences × tokens. inputs: None, or a dictionary that takes the inputs of each layer."""
    def linear(x, name):
        if inputs is not None:
            inputs.setdefault(name + ".input", []).append(x.reshape(-1, x.shape[-1]).astype(np.float16))
        return x @ weights[name + ".weight"].T + weights[name + ".bias"]
    at = "embeddings."
    x = weights[at + "word_embeddings.weight"][ids] + weights[at + "position_embeddings.weight"][:ids.shape[1]]
    x = norm(x + weights[at + "token_type_embeddings.weight"][0], weights, at + "LayerNorm")
    for layer in range(6):
        p = f"encoder.layer.{layer}."
        q, k, v = (linear(x, f"{p}attention.self.{part}").reshape(*ids.shape, heads, -1).swapaxes(1, 2)
                   for part in ("query", "key", "value"))
        scores = q @ k.swapaxes(2, 3) / np.sqrt(np.float32(q.shape[-1]))
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True) @ v).swapaxes(1, 2).reshape(x.shape)
        x = norm(x + linear(mixed, p + "attention.output.dense"), weights, p + "attention.output.LayerNorm")
        inner = gelu(linear(x, p + "intermediate.dense"))
        x = norm(x + linear(inner, p + "output.dense"), weights, p + "output.LayerNorm")
    mean = x.mean(1)
    return mean / np.linalg.norm(mean, axis=-1, keepdims=True)


def vectors(weights, ids, inputs=None):
    """Sentences of one length are worked on together."""
    found = np.zeros((len(ids), weights["embeddings.LayerNorm.weight"].size), np.float32)
    for length in {len(sentence) for sentence in ids}:
        places = [i for i, sentence in enumerate(ids) if len(sentence) == length]
        for first in range(0, len(places), 32):
            some = places[first:first + 32]
            found[some] = vectors_of_length(weights, np.array([ids[i] for i in some]), inputs)
    return found


def ranks(values):
    """Equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[place]


NF4 = np.array([-1, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.09105004, 0, 0.0795803, 0.1609302,
                0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1], np.float32)


def in_groups(w, length):
    values = w.reshape(-1)
    return np.concatenate([values, np.zeros(-values.size % length, np.float32)]).reshape(-1, length)


def nf4(w, length=64):
    """NormalFloat as bitsandbytes writes it: the largest of a group, itself in 8 bits."""
    groups = in_groups(w, length)
    scale = np.abs(groups).max(1, keepdims=True)
    scale[scale == 0] = 1
    decoded = NF4[np.searchsorted((NF4[1:] + NF4[:-1]) / 2, groups / scale)] * scale
    return decoded.reshape(-1)[:w.size].reshape(w.shape), w.size / 2 + len(groups) * 1.03


def searched(bits, w, length=64):
    """Integers in groups with zero points and a searched range, float16 scales."""
    groups, top = in_groups(w, length), 2**bits - 1
    low, high = np.minimum(groups.min(1, keepdims=True), 0), np.maximum(groups.max(1, keepdims=True), 0)
    best, least = groups, np.full((len(groups), 1), np.inf)
    for part in np.linspace(0.7 if bits > 3 else 0.5, 1, 10):
        scale = ((high - low) * part / top).astype(np.float16).astype(np.float32)
        scale[scale == 0] = 1
        zero = np.clip(np.rint(-low * part / scale), 0, top)
        decoded = (np.clip(np.rint(groups / scale) + zero, 0, top) - zero) * scale
        error = ((decoded - groups)**2).sum(1, keepdims=True)
        best, least = np.where(error < least, decoded, best), np.minimum(error, least)
    return best.reshape(-1)[:w.size].reshape(w.shape), w.size * bits / 8 + len(groups) * (2 + bits / 8)


def per_channel(bits, w):
    top = 2**(bits - 1) - 1
    scale = np.abs(w).max(1, keepdims=True) / top
    scale[scale == 0] = 1
    return np.clip(np.rint(w / scale), -top - 1, top) * scale, w.size * bits / 8 + 4 * len(w)


def correlation(similarity, scores):
    return np.corrcoef(ranks(similarity), ranks(scores))[0, 1]


def paired(run, peer, scores):
    """Differences of two rows of `show`, with their standard errors: sentences and pairs are drawn again 1,000 times for
    the correlation."""
    def mean(a, b):
        difference = a.astype(float) - b
        return f"{difference.mean():+.4f} ± {difference.std() / len(difference)**0.5:.4f}"
    random, draws = np.random.default_rng(1), []
    for _ in range(1000):
        some = random.integers(len(scores), size=len(scores))
        draws.append(correlation(run["similarity"][some], scores[some]) - correlation(peer["similarity"][some], scores[some]))
    difference = correlation(run["similarity"], scores) - correlation(peer["similarity"], scores)
    return (f"{mean(run['cosine'], peer['cosine'])} | {mean(run['kept'], peer['kept'])} | "
            f"{mean(run['kept_sts'], peer['kept_sts'])} | {difference:+.4f} ± {np.std(draws):.4f}")


def main():
    program, model, text = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    path = model / "all-minilm-l6-v2-fp16.safetensors"
    vocabulary = {word: i for i, word in enumerate((model / "vocab.txt").read_text(encoding="utf-8").splitlines())}

    def ids_of(texts):
        return [[vocabulary["[CLS]"], *[p for w in words(s) for p in word_pieces(w, vocabulary)][:126], vocabulary["[SEP]"]]
                for s in texts]
    pairs = list(zip(column(text / "sts16-test.tsv", 0), column(text / "sts16-test.tsv", 1)))
    scores = np.array([float(score) for score in column(text / "sts16-test.tsv", 2)])
    own, sts = ids_of(sentences(text / "glue")), ids_of([sentence for pair in pairs for sentence in pair])
    weights = floats(path)

    def nearest(x):
        return (x @ x.T - 2 * np.eye(len(x))).argmax(1)
    exact, exact_sts = vectors(weights, own), vectors(weights, sts)

    rows = {}

    def show(name, bytes_, of):
        found, found_sts = vectors(of, own), vectors(of, sts)
        row = rows[name.strip("`")] = {
            "cosine": (found * exact).sum(1), "kept": nearest(found) == nearest(exact),
            "kept_sts": nearest(found_sts) == nearest(exact_sts), "similarity": (found_sts[::2] * found_sts[1::2]).sum(1)}
        kept, kept_sts = row["kept"].mean(), row["kept_sts"].mean()
        print(f"| {name} | {bytes_ / 1e6:.2f} | {row['cosine'].mean():.4f} | {kept:.3f} ± "
              f"{(kept * (1 - kept) / len(own))**0.5:.3f} | {kept_sts:.3f} ± {(kept_sts * (1 - kept_sts) / len(sts))**0.5:.3f} | "
              f"{correlation(row['similarity'], scores):.4f} |", flush=True)

    print("| run | MB | cosine | nearest of 200 kept | nearest of 2,372 kept | STS-2016 |\n|---|---|---|---|---|---|")
    show("float16", path.stat().st_size, weights)
    matrices = [name for name in weights if weights[name].ndim == 2]
    rest = 2 * sum(w.size for w in weights.values() if w.ndim != 2)
    peers = [("int8 per channel, the largest value", lambda w: per_channel(8, w)),
             ("NF4 in groups of 64", nf4),
             ("int4 in groups of 64, zero points, searched", lambda w: searched(4, w)),
             ("int3 in groups of 64, zero points, searched", lambda w: searched(3, w)),
             ("int2 in groups of 64, zero points, searched", lambda w: searched(2, w))]
    named = sys.argv[4:]
    for name, quantize in [peer for peer in peers if peer[0] in named or not named]:
        made = {matrix: quantize(weights[matrix]) for matrix in matrices}
        show(name, rest + sum(size for _, size in made.values()), {**weights, **{n: w for n, (w, _) in made.items()}})
    for run in [run for run in named if run.startswith("--")] if named else RUNS:
        with tempfile.TemporaryDirectory() as folder:
            small, more = Path(folder) / "small.safetensors", []
            if "--feedback" in run:
                inputs = {}
                vectors(weights, ids_of(sentences(text / "glue", (500, 500, 150), (100, 100, 50))), inputs)
                made = {name: np.concatenate(parts) for name, parts in inputs.items()}
                more = ["--calibration", Path(folder) / "inputs.safetensors"]
                read_compact.write_safetensors(more[1], {}, {name: ("F16", list(x.shape), x.tobytes()) for name, x in made.items()})
            subprocess.run([program, "quantize", path, *run.split(), *more, "-o", small, "-q"], check=True,
                           stdout=subprocess.DEVNULL)
            _, tensors = read_compact.read_compact(small)
            decoded = {name: read_compact.array(tensor).astype(np.float32) for name, tensor in tensors.items()
                       if tensor[0] in ("F32", "F16")}
            show(f"`{run}`", small.stat().st_size, decoded)
    print("\n| run, less the plain quantizer | cosine | nearest of 200 kept | nearest of 2,372 kept | STS-2016 |\n|---|---|---|---|---|")
    for run, peer in PAIRS:
        if run in rows and peer in rows:
            print(f"| `{run}`, less {peer} | {paired(rows[run], rows[peer], scores)} |")


if __name__ == "__main__":
    main()
