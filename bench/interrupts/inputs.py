"""The runs of minutes that run.py interrupts, and what they read."""

import json
import pathlib
import shutil
import subprocess
import sys
import zipfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "experiments/quantizers")]
import drive  # noqa: E402
import networks  # noqa: E402

# name of the run: words of the command in the folder of inputs; {out} is the folder of the outputs.
RUNS = {
    "generate sbm": "generate sbm --nodes 8M --clusters 1000 -o {out}/graph.mtx.gz --labels {out}/truth.txt",
    "generate lfr": "generate lfr --nodes 3M --mean-degree 20 --max-degree 100 -o {out}/graph.txt.zst --labels {out}/truth.txt",
    "convert": "convert large.txt.gz {out}/graph.graphml.gz",
    "cluster auto": "cluster large.npz --clusters 1000 -o {out}/labels.txt --picture {out}/picture.png",
    "cluster compressive": "cluster large.npz --clusters 1000 --method compressive -o {out}/labels.npy",
    "cluster filtered": "cluster large.npz --clusters 300 --method filtered -o {out}/labels.txt",
    "cluster exact": "cluster graph.npz --clusters 200 --method exact -o {out}/labels.txt",
    "cluster, k sought": "cluster graph.npz --clusters auto -o {out}/labels.txt",
    "cluster points": "cluster points.npy --clusters 500 -o {out}/labels.txt --save-model {out}/model.npz",
    "assign": "assign model.npz more.npy -o {out}/labels.npy",
    "knn-graph exact": "knn-graph points.npy --search exact -o {out}/graph.mtx.gz",
    "knn-graph approximate": "knn-graph points.npy --search approximate --neighbors 30 -o {out}/graph.npz",
    "score": "score truth.txt --graph large.txt.gz --json",
    "order": "order large.npz -o {out}/ordered.mtx.gz --save-order {out}/order.npy",
    "operator learn": "operator learn {data}/images/learn/*.png --batches 20000 -o {out}/operator.npy --picture {out}/atlas.png",
    "operator learn untf": "operator learn signals.npy --method untf --rows 192 -o {out}/operator.npy",
    "operator learn unrolled": "operator learn {data}/images/learn/*.png --unrolled -o {out}/flow.npz",
    "operator denoise": "operator denoise noisy.png --sigma auto -o {out}/image.png",
    "operator inpaint": "operator inpaint noisy.png --mask mask.png -o {out}/image.png",
    "operator check": "operator check operator.npy --data cosparse.npy --exact --json",
    "quantize pq": "quantize lm.safetensors --scheme *=pq8 --half -o {out}/small.safetensors",
    "quantize budget": "quantize roberta/model.safetensors --budget 14.68MB --half -o {out}/small.safetensors",
    "quantize by texts": "quantize minilm/model.safetensors --scheme levels4 --texts brown.txt --sentences 5000 -o {out}/small.safetensors",
    "quantize by pictures": "quantize lite0.safetensors --scheme int4 --images {data}/imagenet/val-650.zip --pictures all -o {out}/small.safetensors",
    "dequantize": "dequantize lm-small.safetensors -o {out}/model.safetensors.gz",
    "inspect": "inspect many.safetensors --json",
    "export": "export roberta --onnx {out}/model.onnx",
    "run texts": "run minilm --texts brown.txt --precision exact --embed {out}/vectors.npy",
    "run pictures": "run lite0.safetensors --image cifar10.zip --top 1 --json",
    "run language": "run transformer --text The --generate 4000 --context 4096 --json",
    "train pictures": "train resnet20.json --restart --output {out}/run",
    "train in codes": "train resnet20-codes.json --restart --output {out}/run",
    "train language": "train language.json --restart --output {out}/run",
    "train sentences": "train sentences.json --restart --output {out}/run",
    "evaluate pictures": "evaluate {data}/networks/resnet56-cifar10.safetensors resnet56.json",
    "evaluate language": "evaluate transformer/model.safetensors transformer.json",
}


def make(command, folder, words):
    subprocess.run([command, *words.split(), "-q"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def make_graphs(command, folder):
    make(command, folder, "generate sbm --nodes 2M --clusters 1000 -o large.npz --labels truth.txt")
    make(command, folder, "convert large.npz large.txt.gz")
    make(command, folder, "generate sbm --nodes 300k --clusters 200 -o graph.npz")


def make_points(command, folder):
    draw = np.random.default_rng(1)
    centres = 3 * draw.standard_normal((500, 32), dtype=np.float32)
    for name, count in (("points", 150_000), ("more", 2_000_000)):
        points = draw.standard_normal((count, 32), dtype=np.float32)
        points += centres[draw.integers(500, size=count)]
        np.save(folder / name, points)
    np.save(folder / "some", np.load(folder / "points.npy", mmap_mode="r")[:20_000])
    make(command, folder, "cluster some.npy --clusters 200 --save-model model.npz -o some.txt")


def make_signals(command, folder):
    draw = np.random.default_rng(2)
    np.save(folder / "signals", draw.standard_normal((20_000, 96)))
    angles = 2 * np.pi / 64 * np.outer(np.arange(64), np.arange(1, 25))
    operator = np.concatenate([np.cos(angles), np.sin(angles)], axis=1) / np.sqrt(24)
    signals = [np.linalg.svd(operator[draw.choice(64, 40, replace=False)])[2][-8:] for _ in range(400)]
    np.save(folder / "operator", operator)
    np.save(folder / "cosparse", np.concatenate([draw.standard_normal((2, 8)) @ basis for basis in signals]))


def make_pictures(command, folder):
    from verbs import write_png
    draw = np.random.default_rng(3)
    rows, columns = np.mgrid[:4000, :5000]
    clean = 128 + 60 * np.sin(rows / 90) * np.cos(columns / 70)
    write_png(folder / "noisy.png", np.clip(clean + 20 * draw.standard_normal(clean.shape), 0, 255).astype(np.uint8))
    write_png(folder / "mask.png", (255 * (draw.random(clean.shape) < 0.7)).astype(np.uint8))


def make_networks(command, folder):
    networks.write(networks.lm(), folder / "lm.safetensors")
    make(command, folder, "quantize lm.safetensors --scheme int4 -o lm-small.safetensors")
    (folder / "roberta").mkdir(exist_ok=True)
    networks.write(networks.roberta(), folder / "roberta/model.safetensors")
    (folder / "roberta/config.json").write_text(json.dumps({
        "model_type": "roberta", "vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1, "num_hidden_layers": 12,
        "hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072, "layer_norm_eps": 1e-5, "pad_token_id": 1,
        "hidden_act": "gelu"}))
    names = ",".join(f'"layers.{i}.weight":{{"dtype":"F32","shape":[],"data_offsets":[{4 * i},{4 * i + 4}]}}' for i in range(1_000_000))
    with open(folder / "many.safetensors", "wb") as file:
        header = f"{{{names}}}".encode()
        header += b" " * (-len(header) % 8)
        file.write(len(header).to_bytes(8, "little") + header + bytes(4_000_000))
    shutil.copyfile(drive.DATA / "networks/efficientnet_lite0.safetensors", folder / "lite0.safetensors")
    (folder / "minilm").mkdir(exist_ok=True)
    for file in (drive.DATA / "minilm").iterdir():
        shutil.copyfile(file, folder / "minilm" / ("model.safetensors" if file.suffix == ".safetensors" else file.name))
    shutil.copyfile(drive.DATA / "text/brown.txt", folder / "brown.txt")


def make_training(command, folder):
    with zipfile.ZipFile(drive.DATA / "networks/cifar10-jpeg.zip") as source, zipfile.ZipFile(folder / "cifar10.zip", "w") as out:
        for name in sorted(name for name in source.namelist() if name.startswith("test/") and name.endswith(".jpg")):
            out.writestr(name.split("/")[-2] + "-" + name.split("/")[-1], source.read(name))
    recipes = {}
    for name, stem in (("resnet20", "resnet20-float"), ("resnet20-codes", "resnet20-20-times-smaller"),
                       ("transformer", "transformer-brown"), ("sentences", "minilm-sst2"),
                       ("language", "language-model-97-times-smaller")):
        recipes[name] = json.loads((ROOT / f"examples/recipes/{stem}.json").read_text())
    pictures = {"archive": str(drive.DATA / "networks/cifar10-jpeg.zip"), "weights": str(drive.DATA / "networks/resnet20-cifar10.safetensors")}
    for name in ("resnet20", "resnet20-codes"):
        recipes[name]["task"] |= pictures
    recipes["resnet56"] = json.loads(json.dumps(recipes["resnet20"]))
    recipes["resnet56"]["task"] |= {"depth": 56, "weights": str(drive.DATA / "networks/resnet56-cifar10.safetensors")}
    recipes["transformer"]["task"] |= {"text": "brown.txt", "encoder": str(drive.DATA / "text/encoder.json"),
                                       "merges": str(drive.DATA / "text/vocab.bpe"), "context": 64}
    recipes["transformer"]["training"]["steps"] = 1
    recipes["language"]["task"] |= {"text": "brown.txt", "held_out": str(drive.DATA / "text/wikitext-2-valid.txt")}
    recipes["sentences"]["task"] |= {"texts": str(drive.DATA / "text/glue/SST-2/train_full.tsv"),
                                     "held_out": str(drive.DATA / "text/glue/SST-2/train_full.tsv"), "tokenizer": "minilm",
                                     "config": "minilm/config.json", "weights": "minilm/model.safetensors"}
    counts = {}
    for word in (folder / "brown.txt").read_text().split():
        counts[word] = counts.get(word, 0) + 1
    (folder / "dict.txt").write_text("".join(f"{word} {count}\n" for word, count in sorted(counts.items(), key=lambda item: -item[1])))
    for name, recipe in recipes.items():
        (folder / f"{name}.json").write_text(json.dumps(recipe, indent=1))
    make(command, folder, "train transformer.json --output transformer")
    for source, name in (("encoder.json", "encoder.json"), ("vocab.bpe", "vocab.bpe")):
        shutil.copyfile(drive.DATA / "text" / source, folder / "transformer" / name)


def make_inputs(command, folder):
    """Makes what is missing in `folder`: minutes, and 5 GB."""
    sys.path.insert(0, str(ROOT / "tests/faults"))
    for make_part in (make_graphs, make_points, make_signals, make_pictures, make_networks, make_training):
        done = folder / f".{make_part.__name__}"
        if not done.exists():
            make_part(command, folder)
            done.touch()
