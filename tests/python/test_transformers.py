"""Compact folders in transformers."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import parsimony_ml as pm  # noqa: E402
from parsimony_ml import quant  # noqa: E402
from parsimony_ml.torch import IterativePQ, PackedEmbedding, PackedLinear, load_model  # noqa: E402
from parsimony_ml.transformers import ParsimonyConfig, ParsimonyQuantizer  # noqa: E402

torch.set_num_threads(1)

IDS = torch.arange(12).reshape(2, 6)


@pytest.fixture
def floats(tmp_path):
    torch.manual_seed(0)
    config = transformers.BertConfig(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, vocab_size=300
    )
    model = transformers.BertForMaskedLM(config).eval()
    model.save_pretrained(tmp_path / "floats")
    return model


def output(model):
    with torch.no_grad():
        return model(IDS)[0]


def test_a_compact_folder_loads_and_saves(floats, tmp_path):
    made = quant.compress(tmp_path / "floats", tmp_path / "small", layers={"ffn": "pq8x64"}, scheme="int4g32")
    model = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "small")
    decoded = quant.load(tmp_path / "small")
    state = model.state_dict()
    assert all(np.array_equal(state[name], value) for name, value in decoded.items())
    assert 0 < (output(model) - output(floats)).abs().max() < 0.5
    model.save_pretrained(tmp_path / "copy")
    assert (tmp_path / "copy" / "model.safetensors").stat().st_size <= made.bytes + 200
    again = quant.load(tmp_path / "copy")
    assert all(np.array_equal(again[name], value) for name, value in decoded.items())
    assert torch.equal(output(transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "copy")), output(model))


def test_packed_modules_compute_the_same(floats, tmp_path):
    quant.compress(tmp_path / "floats", tmp_path / "small", layers={"ffn": "pq8x64"}, scheme="int4g32")
    model = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "small")
    how = ParsimonyConfig(packed=True, accuracy="exact")
    packed = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "small", quantization_config=how)
    assert isinstance(packed.bert.embeddings.word_embeddings, PackedEmbedding)
    assert isinstance(packed.bert.encoder.layer[0].intermediate.dense, PackedLinear)
    torch.testing.assert_close(output(packed), output(model), rtol=1e-4, atol=1e-5)
    packed.save_pretrained(tmp_path / "copy")
    again = quant.load(tmp_path / "copy")
    assert all(np.array_equal(again[name], value) for name, value in quant.load(tmp_path / "small").items())


def test_a_file_of_a_base_model_loads_with_a_head(floats, tmp_path):
    floats.bert.save_pretrained(tmp_path / "base")
    quant.compress(tmp_path / "base", tmp_path / "small", scheme="int8")
    how = ParsimonyConfig(packed=True)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "small", num_labels=3, quantization_config=how
    )
    assert isinstance(model.bert.encoder.layer[1].output.dense, PackedLinear)
    assert output(model).shape == (2, 3)


def test_floats_are_quantized_while_they_load(floats, tmp_path):
    how = ParsimonyConfig("int4g32", exclude="embeddings")
    model = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "floats", quantization_config=how)
    weight = floats.bert.encoder.layer[0].intermediate.dense.weight
    own = model.bert.encoder.layer[0].intermediate.dense.weight
    assert np.array_equal(own.detach(), quant.quantize(weight, "int4g32").decode())
    model.save_pretrained(tmp_path / "small")
    loaded = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "small")
    assert torch.equal(output(loaded), output(model))
    before = copy.deepcopy(own.detach())
    with torch.no_grad():
        own.add_(1)
    with pytest.raises(pm.InvalidArgumentError, match="has changed since it was loaded"):
        model.save_pretrained(tmp_path / "changed")
    with torch.no_grad():
        own.copy_(before)
    model.save_pretrained(tmp_path / "unchanged")


def test_layers_with_inputs_first_and_tied_heads_are_stages(tmp_path):
    torch.manual_seed(0)
    size = {"n_layer": 1, "n_embd": 64, "n_head": 2, "vocab_size": 300, "n_positions": 16}
    config = transformers.GPT2Config(**size, bos_token_id=0, eos_token_id=0)
    model = transformers.GPT2LMHeadModel(config).eval()
    ipq = IterativePQ(model, {".*mlp.*": "pq8x64", ".*attn.*": "pq4x64", ".*wte": "int8"}, codebook="float32")
    for _ in ipq:
        model(IDS, labels=IDS).loss.backward()
    expected = output(model)
    ipq.save(tmp_path / "small.safetensors", half=False)
    loaded = load_model(transformers.GPT2LMHeadModel(config).eval(), tmp_path / "small.safetensors")
    assert loaded.lm_head.weight is loaded.transformer.wte.weight
    torch.testing.assert_close(output(loaded), expected, rtol=1e-4, atol=1e-5)
    code = ipq.tensors()["transformer.h.0.mlp.c_fc.weight"]
    assert code.shape == (64, 256)
    assert np.array_equal(code.centroids[code.codes].reshape(256, 64).T, code.decode())


def test_mistakes_are_refused(floats, tmp_path):
    with pytest.raises(pm.InvalidArgumentError, match="scheme"):
        transformers.AutoModel.from_pretrained(tmp_path / "floats", quantization_config=ParsimonyConfig("int9"))
    with pytest.raises(pm.UnsupportedError, match="computes on the CPU"):
        ParsimonyQuantizer(ParsimonyConfig(packed=True)).validate_environment(device_map={"": "cuda:0"})
