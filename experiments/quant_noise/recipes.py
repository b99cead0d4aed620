"""The recipes of `parsimony train` that run.py runs, by the row of the table that they belong to."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drive  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = drive.ROOT
WORK = ROOT / "build/quant_noise"
DATA = drive.DATA
SEEDS = [1, 2, 3]

# ---- ResNet-20 on the JPEGs of CIFAR-10

IMAGES = {"kind": "images", "archive": str(WORK / "cifar10.zip")}
PUBLISHED = DATA / "networks/resnet20-cifar10.safetensors"
FLOAT = {"seed": 1, "task": {**IMAGES, "weights": str(PUBLISHED)},
         "training": {"epochs": 3, "batch_size": 128, "bfloat16": True, "learning_rate": 0.05, "decay": "linear",
                      "nesterov": False, "weight_decay": 1e-4}}
ADAM = {"optimizer": "adamw", "beta2": 0.99, "warmup_steps": 20}


def integers(layers, bits):
    return {"layers": layers, "scheme": "integer", "bits": bits}


def products(layers, block, centroids, **more):
    return {"layers": layers, "block_size": block, "centroids": centroids,
            **({} if block == 9 else {"layout": "input-channels"}), **more}


def widths(first, second, third):
    """The layers of 16, 32 and 64 channels. The first and the last layer are small."""
    return [integers("conv1|linear", 8)] + [scheme(rf"layer{i + 1}\..*") for i, scheme in enumerate((first, second, third))]


def bits(count):
    return lambda layers: integers(layers, count)


def codes(block, centroids):
    return lambda layers: products(layers, block, centroids)


SCHEMES = {
    "14 a": widths(bits(3), codes(4, 256), codes(4, 256)),
    "14 b": widths(bits(3), bits(3), codes(4, 128)),
    "14 c": widths(bits(4), codes(4, 512), codes(4, 256)),
    "14 d": widths(bits(4), bits(3), codes(4, 128)),
    "20 a": widths(codes(4, 256), codes(4, 256), codes(9, 512)),
    "20 b": widths(bits(3), codes(4, 128), codes(9, 512)),
    "20 c": widths(bits(3), codes(4, 512), codes(9, 256)),
    "20 d": widths(bits(4), codes(4, 512), codes(9, 256)),
    "26 a": widths(codes(9, 128), codes(9, 256), codes(9, 256)),
    "26 b": widths(codes(4, 64), codes(9, 256), codes(9, 256)),
    "26 c": widths(codes(4, 128), codes(9, 256), codes(9, 256)),
}
FRONT = {"≥ 14 ×": "14 a", "≥ 20 ×": "20 a", "≥ 26 ×": "26 c"}
FRONT_STEPS = 1000
NOISE_STEPS, CODE_STEPS, ABLATION_STEPS = 150, 150, 150


def resnet(seed, steps, ipq, training=None, split="test", teacher=True, **more):
    """A network in codes that the float one teaches; `steps` with codes."""
    recipe = {"seed": seed, "task": {**IMAGES, "test_split": split, "weights": str(WORK / "float/model.safetensors")},
              "training": {"epochs": 0, "batch_size": 128, "bfloat16": True, "recalibration_batches": 32, **(training or {})},
              "ipq": {"stages": [".*"], "codebook": "int8", "shared_codebook": True, "latent_weights": True, **ADAM,
                      "learning_rate": 2e-3, "steps": steps, "epochs": 0, **ipq},
              "export": {"deflate_header": True, "fold_statistics": True}, **more}
    if teacher:
        recipe["teacher"] = {"temperature": 2}
    return recipe


INT8, INT4 = ({"function": "integer", "bits": n, "granularity": "per-channel"} for n in (8, 4))
KERNELS = {"function": "product", "block_size": 9, "centroids": 256, "refresh_steps": 50, "layers": r"layer\d.*"}
ONE_SCHEME = {  # name: codes, steps with them, noises
    "int8": ({"scheme": "integer", "bits": 8}, 0, {"QAT": {**INT8, "rate": 1}, "Quant-Noise": {**INT8, "rate": 0.5}}),
    "int4": ({"scheme": "integer", "bits": 4}, 0, {"QAT": {**INT4, "rate": 1}, "Quant-Noise": {**INT4, "rate": 0.5}}),
    "iPQ": ({"latent_weights": False, "schemes": widths(codes(9, 256), codes(9, 256), codes(9, 256))}, CODE_STEPS,
            {"QAT": {**KERNELS, "rate": 1}, "Quant-Noise": {**KERNELS, "rate": 0.1}}),
}


def table_runs(seed):
    for kind, (ipq, steps, noises) in ONE_SCHEME.items():
        for name, noise in {"post-training": None, **noises}.items():
            more = {"noise": noise} if noise else {}
            training = {"steps": NOISE_STEPS, **ADAM, "learning_rate": 1e-3}
            yield f"{kind}, {name}", resnet(seed, steps, ipq, training, **more)


def ablation_runs(seed):
    schemes, steps = {"schemes": SCHEMES[FRONT["≥ 26 ×"]]}, ABLATION_STEPS
    four, weighted = {"schemes": SCHEMES[FRONT["≥ 14 ×"]]}, {"importance_batches": 8}
    yield "all of the recipe", resnet(seed, steps, schemes)
    yield "codes stay: centroids alone are trained", resnet(seed, steps, {**schemes, "latent_weights": False})
    yield "labels instead of the teacher", resnet(seed, steps, schemes, teacher=False)
    yield "no recalibration", resnet(seed, steps, schemes, {"recalibration_batches": 0})
    yield "errors weighted by activations", resnet(seed, steps, {**schemes, **weighted})
    yield "without training", resnet(seed, 0, schemes)
    yield "without training, no recalibration", resnet(seed, 0, schemes, {"recalibration_batches": 0})
    yield "without training, errors weighted by activations", resnet(seed, 0, {**schemes, **weighted})
    yield "blocks of four: the scheme at 14 ×", resnet(seed, steps, four)
    yield "blocks of four, channels permuted", resnet(seed, steps, {"permute_channels": True, **four})


AGAINST = {row: base for base, rows in {
    "all of the recipe": ["codes stay: centroids alone are trained", "labels instead of the teacher", "no recalibration",
                          "errors weighted by activations", "without training"],
    "without training": ["without training, no recalibration", "without training, errors weighted by activations"],
    "blocks of four: the scheme at 14 ×": ["blocks of four, channels permuted"]}.items() for row in rows}


# ---- a Transformer on the Brown corpus

TEXT = {"kind": "language", "text": str(DATA / "text/brown.txt"), "encoder": str(DATA / "text/encoder.json"),
        "merges": str(DATA / "text/vocab.bpe"), "max_vocabulary": 2048, "layers": 6, "width": 128, "heads": 4,
        "feed_forward": 512, "context": 64}
TEXT_ADAM = {"optimizer": "adamw", "beta2": 0.98}
LANGUAGE_FLOAT = {"seed": 1, "task": TEXT, "training": {"steps": 1200, "batch_size": 16, **TEXT_ADAM, "learning_rate": 3e-3,
                                                        "warmup_steps": 100, "clip_norm": 1}}
TEXT_NOISE_STEPS, TEXT_CODE_STEPS, SCRATCH_STEPS = 150, 50, 600
PRODUCTS8 = {"function": "product", "block_size": 8, "centroids": 256, "refresh_steps": 100}
LANGUAGE_SCHEMES = {
    "int8": ({"scheme": "integer", "bits": 8, "stages": [".*"]}, 0, {"QAT": {**INT8, "rate": 1}, "Quant-Noise": {**INT8, "rate": 0.5}}),
    "int4": ({"scheme": "integer", "bits": 4, "stages": [".*"]}, 0, {"QAT": {**INT4, "rate": 1}, "Quant-Noise": {**INT4, "rate": 0.5}}),
    "iPQ": ({"block_size": 8, "codebook": "int8", "shared_codebook": True,
             "schemes": [{"layers": r".*attention\..*", "block_size": 4}]}, TEXT_CODE_STEPS,
            {"QAT": {**PRODUCTS8, "rate": 1}, "Quant-Noise": {**PRODUCTS8, "rate": 0.05}}),
}


def with_codes(base, kinds):
    """Each scheme of `kinds` after `base` with the noise of each row."""
    for kind in kinds:
        ipq, steps, noises = LANGUAGE_SCHEMES[kind]
        for name, noise in {"post-training": None, **noises}.items():
            yield f"{kind}, {name}", {
                **base, **({"noise": noise} if noise else {}),
                "ipq": {**ipq, **TEXT_ADAM, "learning_rate": 1e-3, "warmup_steps": 10, "clip_norm": 1,
                        "steps": steps, "epochs": 0}}


def language_runs(seed):
    base = {"seed": seed, "task": {**TEXT, "weights": str(WORK / "language/model.safetensors")},
            "training": {"steps": TEXT_NOISE_STEPS, "batch_size": 16, **TEXT_ADAM, "learning_rate": 1e-3, "warmup_steps": 20,
                         "clip_norm": 1}}
    yield "float32, trained on as long", base
    yield from with_codes(base, ["int8", "int4", "iPQ"])


def scratch_runs(seed):
    """Noise from the first step on, as in the paper."""
    training = {**LANGUAGE_FLOAT["training"], "steps": SCRATCH_STEPS}
    yield from with_codes({"seed": seed, "task": TEXT, "training": training}, ["iPQ"])


PARTS = {
    "front": lambda seed: ((target, resnet(seed, FRONT_STEPS, {"schemes": SCHEMES[name]})) for target, name in FRONT.items()),
    "table": table_runs,
    "ablation": ablation_runs,
    "language": language_runs,
    "scratch": scratch_runs,
    "choose": lambda _: ((name, resnet(11, 100, {"schemes": s}, split="held_out")) for name, s in SCHEMES.items()),
}


def runs(part, seeds=SEEDS):
    """Recipes with the row that they count for."""
    return [run for seed in (seeds[:1] if part == "choose" else seeds) for run in PARTS[part](seed)]
