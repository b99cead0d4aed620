"""`parsimony export`: files of ONNX, loaded by ONNX Runtime, against transformers and the logits of timm."""

import json
import math
import pathlib
import sys

import numpy as np
import pytest

onnxruntime = pytest.importorskip("onnxruntime")
safetensors = pytest.importorskip("safetensors.numpy")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

REFERENCES = pathlib.Path(__file__).parent.parent / "models" / "references"
sys.path.insert(0, str(REFERENCES))
import efficientnet_tensors  # noqa: E402
import values  # noqa: E402

TOKENS = np.array([[2, 15, 16, 80, 3, 7], [2, 40, 3, 1, 1, 1]])  # 1 is RoBERTa's padding
MASK = (TOKENS != 1).astype(np.int64)


def run(file, feeds):
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    known = {entry.name for entry in session.get_inputs()}
    return session.run(None, {name: value for name, value in feeds.items() if name in known})[0]


def distance(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def encoder(kind, head):
    sizes = {
        "vocab_size": 97, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 80,
        "max_position_embeddings": 20, "type_vocab_size": 1 if kind == "roberta" else 2, "num_labels": 3,
        "pad_token_id": 1 if kind == "roberta" else 0, "bos_token_id": 2, "eos_token_id": 3,
    }  # fmt: skip
    torch.manual_seed(3)
    config = (transformers.RobertaConfig if kind == "roberta" else transformers.BertConfig)(**sizes)
    family = transformers.AutoModelForSequenceClassification if head else transformers.AutoModel
    model = family.from_config(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1 and not name.endswith("LayerNorm.weight"):
                parameter.normal_(0, 0.2)
    return model


@pytest.mark.parametrize("head", [False, True])
@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_an_encoder_is_that_of_transformers(command, tmp_path, kind, head):
    model = encoder(kind, head)
    model.save_pretrained(tmp_path / "m")
    types = np.array([[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]])
    with torch.no_grad():
        arguments = {"input_ids": torch.tensor(TOKENS), "attention_mask": torch.tensor(MASK)}
        if kind == "bert":
            arguments["token_type_ids"] = torch.tensor(types)
        right = model(**arguments)[0].numpy()
    feeds = {"input_ids": TOKENS, "attention_mask": MASK, "token_type_ids": types}
    real = slice(None) if head else MASK.astype(bool)  # padding has states of its own
    for kind_of_weights, error in [("floats", 1e-5), ("int8", 0.05)]:
        command("export", tmp_path / "m", "--onnx", tmp_path / "m.onnx", "--weights", kind_of_weights)
        found = run(tmp_path / "m.onnx", feeds)
        assert found.shape == right.shape
        assert distance(found[real], right[real]) < error
    # All sizes are free: a text alone has the states that it has in the batch.
    alone = run(tmp_path / "m.onnx", {name: value[:1, :] for name, value in feeds.items()})
    assert distance(alone, found[:1]) < 0.05


@pytest.mark.parametrize(("variant", "depth"), [("b0", 1), ("b1", 1.1), ("lite0", 1)])
def test_an_efficientnet_is_that_of_timm(command, tmp_path, variant, depth):
    figures = json.loads((REFERENCES / "efficientnet.json").read_text())
    reference = next(entry for entry in figures["logits"] if entry["variant"] == variant)
    model = tmp_path / "m.safetensors"
    safetensors.save_file(efficientnet_tensors.tensors(1, depth, variant.startswith("lite"), figures["classes"]), model)
    images = 8 * values.numbers("images", math.prod(figures["shape"])).astype("float32").reshape(figures["shape"])
    right = np.array(reference["logits"], dtype=np.float32).reshape(len(images), figures["classes"])
    # Networks of random weights pass errors on; B1 has 23 blocks.
    for weights, error in [("floats", 1e-4), ("int8", 0.3)]:
        command("export", model, "--onnx", tmp_path / "m.onnx", "--padding", reference["padding"], "--weights", weights)
        assert distance(run(tmp_path / "m.onnx", {"images": images}), right) < error
    assert (tmp_path / "m.onnx").stat().st_size < 0.3 * model.stat().st_size


def test_a_compact_file_is_its_decoded_network(command, tmp_path):
    tensors = efficientnet_tensors.tensors(1, 1, True, 5)
    model, small, decoded = (tmp_path / f"{name}.safetensors" for name in "msd")
    safetensors.save_file(tensors, model)
    command("quantize", model, "--scheme", "int8", "--range", "min-max", "--output", small)
    command("dequantize", small, "--output", decoded)
    images = np.random.default_rng(0).standard_normal((1, 3, 32, 40)).astype("float32")
    logits = []
    for file in (small, decoded):
        command("export", file, "--onnx", tmp_path / "m.onnx", "--weights", "floats")
        logits.append(run(tmp_path / "m.onnx", {"images": images}))
    assert distance(*logits) < 1e-6
