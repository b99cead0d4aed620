"""Compact files, weights in codes and packed layers, without PyTorch."""

import json
import pickle
import re

import numpy as np
import pytest

import parsimony_ml as pm
from parsimony_ml import _core, quant
from parsimony_ml.quant._tensors import file_of, tensor_of

SCHEMES = ["int8", "int4", "int4g64", "nf4", "levels3", "pq8", "pq4x16"]


def model(seed=0):
    random = np.random.default_rng(seed)

    def normal(*shape):
        return random.normal(size=shape).astype(np.float32)

    return {
        "embed.weight": normal(300, 64),
        "layer.0.fc1.weight": normal(256, 64),
        "layer.0.fc1.bias": normal(256),
        "layer.0.fc2.weight": normal(64, 256).astype(np.float16),
        "norm.weight": normal(64),
        "steps": np.int64(7),
    }


def write(path, arrays):
    path.write_bytes(file_of(tensor_of(name, value) for name, value in arrays.items()))
    return path


def test_a_file_has_the_values_of_the_codes(tmp_path):
    arrays = model()
    arrays["head.weight"] = arrays["embed.weight"]
    made = quant.compress(arrays, tmp_path / "small.safetensors", layers={"fc": "pq8", "embed|head": "int4"})
    assert made.bytes == (tmp_path / "small.safetensors").stat().st_size
    assert made.aliases in ({"head.weight": "embed.weight"}, {"embed.weight": "head.weight"})
    back = quant.load(made.path)
    assert list(back) == sorted(arrays)
    for name, value in arrays.items():
        assert (back[name].shape, back[name].dtype) == (value.shape, value.dtype)
    for name in ("layer.0.fc1.bias", "norm.weight", "steps"):
        assert np.array_equal(back[name], arrays[name])
    by_name = {weight["name"]: weight for weight in made.weights}
    for name, scheme in [("layer.0.fc1.weight", "pq8"), ("layer.0.fc2.weight", "pq8"), ("embed.weight", "int4")]:
        value = arrays[name].astype(np.float32)
        codes = quant.quantize(value, scheme, range="mse")
        assert np.array_equal(codes.decode().astype(arrays[name].dtype), back[name])
        stated = by_name.get(name) or by_name["head.weight"]
        assert stated["relative_mse"] == pytest.approx(
            np.square(value - codes.decode()).sum() / np.square(value).sum(), rel=1e-5
        )
    assert made.report["options"]["scheme"] == "fc=pq8,embed|head=int4"


def test_memory_and_files_give_the_same_bytes(tmp_path):
    arrays = model()
    path = write(tmp_path / "model.safetensors", arrays)
    quant.compress(arrays, tmp_path / "a.safetensors", n_jobs=1)
    quant.compress(path, tmp_path / "b.safetensors", n_jobs=2)
    folder = tmp_path / "folder"
    folder.mkdir()
    path.rename(folder / "model.safetensors")
    quant.compress(folder, tmp_path / "c", n_jobs=-1)
    one = (tmp_path / "a.safetensors").read_bytes()
    assert (tmp_path / "b.safetensors").read_bytes() == one
    assert (tmp_path / "c" / "model.safetensors").read_bytes() == one


def test_budgets_are_kept_to_the_byte(tmp_path):
    arrays = model()
    made = quant.compress(arrays, tmp_path / "small.safetensors", budget="24kB")
    assert 20_000 < made.bytes <= 24_000
    assert made.bytes == (tmp_path / "small.safetensors").stat().st_size
    dry = quant.compress(arrays, budget=24_000, dry_run=True)
    assert (dry.bytes, dry.path) == (made.bytes, None)


def test_compressions_are_drawn(tmp_path):
    pytest.importorskip("matplotlib").use("agg")
    arrays = model()
    small = quant.compress(arrays, tmp_path / "small.safetensors", layers={"fc": "pq8", "embed": "int4"})
    large = quant.compress(arrays, tmp_path / "large.safetensors", scheme="int8")
    assert 0 < large.relative_mse < small.relative_mse < 1
    bits, errors, front = small.plot([large]).axes
    assert len(bits.patches) == len(small.weights)
    assert {round(patch.get_height()) for patch in bits.patches} <= {1, 2, 3, 4, 5, 6}
    assert errors.get_yscale() == "log"
    assert (front.lines[0].get_ydata() == [small.relative_mse, large.relative_mse]).all()
    accuracies = small.plot([large], accuracies=[0.7, 0.9]).axes[2]
    assert list(accuracies.lines[0].get_ydata()) == [0.7, 0.9]
    with pytest.raises(pm.InvalidArgumentError, match="accuracies: has 1 value;"):
        small.plot([large], accuracies=[0.7])
    assert quant.compress(arrays, scheme="int8", dry_run=True).relative_mse is None


def test_folders_keep_what_is_beside_the_model(tmp_path):
    source = tmp_path / "model"
    (source / "1_Pooling").mkdir(parents=True)
    write(source / "model.safetensors", model())
    (source / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (source / "tokenizer.json").write_text("{}")
    (source / "pytorch_model.bin").write_bytes(b"weights")
    (source / "1_Pooling" / "config.json").write_text("{}")
    made = quant.compress(source, tmp_path / "small", scheme="int4")
    names = sorted(str(path.relative_to(tmp_path / "small")) for path in (tmp_path / "small").rglob("*"))
    assert names == ["1_Pooling", "1_Pooling/config.json", "config.json", "model.safetensors", "tokenizer.json"]
    config = json.loads((tmp_path / "small" / "config.json").read_text())
    assert config == {"model_type": "bert", "dtype": "float32", "quantization_config": {"quant_method": "parsimony"}}
    assert json.loads((source / "config.json").read_text()) == {"model_type": "bert"}
    assert list(quant.load(tmp_path / "small")) == list(quant.load(made.path))
    with pytest.raises(pm.InvalidArgumentError, match="is the folder of the model"):
        quant.compress(source, source)


def test_bytes_of_another_order_and_layout_are_the_same_values(tmp_path):
    weight = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    quant.compress({"a.weight": weight, "b": np.arange(5)}, tmp_path / "a.safetensors")
    foreign = np.asfortranarray(weight).astype(">f4")
    assert foreign.dtype != weight.dtype
    quant.compress({"a.weight": foreign, "b": np.arange(5, dtype=">i8")}, tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ([1, 2], pm.InvalidArgumentError, "model: 'b' is of type list; must be an array or a tensor"),
        (3, pm.InvalidArgumentError, "model: 'b' is of type int; must be an array or a tensor"),
        (np.ma.masked_equal([1, 2], 1), pm.InvalidArgumentError, "model: 'b': has masked values"),
        (np.array(["a"]), pm.UnsupportedError, "model: 'b' has the type str"),
    ],
)
def test_nothing_is_left_out_of_a_file(value, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        quant.compress({"a.weight": np.eye(64, dtype=np.float32), "b": value}, dry_run=True)


def test_options_are_in_the_help():
    for function, table in ((quant.compress, "compress"), (quant.PackedLinear, "packed_linear")):
        for row in _core.options[table]():
            assert row["name"] == "seed" or f"\n    {row['name']} (" in function.__doc__


def test_calibration_weighs_the_errors():
    random = np.random.default_rng(3)
    weight = random.normal(size=(64, 64)).astype(np.float32)
    moments = np.where(np.arange(64) < 8, 100, 0.01).astype(np.float32)

    def error(codes):
        return float((moments * np.square(weight - codes.decode())).sum())

    assert error(quant.quantize(weight, "pq8x16", importance=moments)) < 0.7 * error(quant.quantize(weight, "pq8x16"))
    arrays = {"a.weight": weight}
    plan = {"scheme": "pq8x16", "dry_run": True}
    for given in (moments, moments.astype(np.float64), moments.astype(np.float16)):
        quant.compress(arrays, calibration={"a.input_second_moment": given}, **plan)
    with pytest.raises(pm.FormatError, match=r"input_second_moment"):
        quant.compress(arrays, calibration={"a.input_second_moment": moments[:5]}, **plan)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_weights_in_codes(scheme):
    weight = np.random.default_rng(1).normal(size=(96, 128)).astype(np.float32)
    codes = quant.quantize(weight, scheme)
    assert codes.shape == weight.shape
    assert codes.nbytes < weight.nbytes / 3
    decoded = codes.decode()
    if codes.scheme == "product":
        assert np.array_equal(codes.centroids[codes.codes].reshape(weight.shape), decoded)
        # Each block has its nearest centroid.
        blocks = weight.reshape(-1, codes.centroids.shape[1])
        distances = np.square(blocks[:, None] - codes.centroids[None]).sum(2)
        own = np.take_along_axis(distances, codes.codes.reshape(-1, 1).astype(int), 1)[:, 0]
        assert (own <= distances.min(1) + 1e-4).all()
    else:
        group = codes.group or weight.shape[1]
        scale = np.repeat(codes.scale.reshape(len(weight), -1), group, 1)[:, : weight.shape[1]]
        if len(codes.levels):
            expected = codes.levels[codes.codes] * scale
        else:
            zero = np.repeat(codes.zero_point.reshape(len(weight), -1), group, 1)
            expected = (codes.codes.astype(np.float32) - zero) * scale
        assert np.array_equal(expected.astype(np.float32), decoded)
    assert repr(codes).startswith("QuantizedTensor(96 × 128, ")
    assert np.array_equal(np.asarray(codes), decoded)
    assert np.asarray(codes, dtype=np.float64).dtype == np.float64
    assert np.array_equal(np.from_dlpack(codes), decoded)
    again = pickle.loads(pickle.dumps(codes))
    assert np.array_equal(again.decode(), decoded)
    assert again.nbytes == codes.nbytes


@pytest.mark.parametrize("scheme", SCHEMES)
def test_packed_layers_compute_with_the_codes(scheme):
    random = np.random.default_rng(2)
    codes = quant.quantize(random.normal(size=(96, 128)).astype(np.float32), scheme)
    x, bias = random.normal(size=(2, 3, 128)).astype(np.float32), random.normal(size=96).astype(np.float32)
    expected = x @ codes.decode().T + bias
    size = np.linalg.norm(expected)
    for accuracy, error in [("exact", 1e-6), ("tables16", 3e-4), ("tables8", 0.03)]:
        layer = quant.PackedLinear(codes, bias, accuracy=accuracy)
        assert np.linalg.norm(layer(x) - expected) <= error * size
        assert np.array_equal(pickle.loads(pickle.dumps(layer))(x, n_jobs=2), layer(x, n_jobs=1))
    rows = quant.PackedEmbedding(codes)
    index = np.array([[3, 95], [0, 3]])
    assert np.array_equal(rows(index), codes.decode()[index])
    assert np.array_equal(pickle.loads(pickle.dumps(rows))(index), rows(index))
    assert np.array_equal(rows(3), codes.decode()[3])
    assert rows([]).shape == (0, 128)
    with pytest.raises(pm.InvalidArgumentError, match="indices: must be whole numbers, not of type float64"):
        rows([0.7])


def test_damaged_states_are_refused():
    codes = quant.quantize(np.ones((16, 64), np.float32) * np.arange(64), "pq8x16")
    state = codes.__getstate__()
    centroids, kind, scales = state["codebook"]
    for wrong in [
        {"shape": [16, 48]},
        {"packed": state["packed"][:-1]},
        {"layout": "column"},
        {"scheme": "codes"},
        {"bits": 17},
        {"codebook": (centroids[:1], kind, scales)},  # codes without a centroid
    ]:
        with pytest.raises(pm.InvalidArgumentError):
            quant.QuantizedTensor.__new__(quant.QuantizedTensor).__setstate__(state | wrong)


def test_complex_tensors_are_refused():
    """Their imaginary part would be dropped."""
    torch = pytest.importorskip("torch")
    real = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    twisted = torch.complex(real, real)
    codes = quant.quantize(real, "int8")
    layer = quant.PackedLinear(codes)
    for call, name in (
        (lambda: quant.quantize(twisted, "int8"), "weight"),
        (lambda: quant.quantize(real, "int8", importance=twisted[0]), "importance"),
        (lambda: quant.PackedLinear(codes, twisted[0]), "bias"),
        (lambda: layer(twisted), "x"),
        (lambda: quant.compress({"w": real}, calibration={"w": twisted[0]}, dry_run=True), "calibration: 'w'"),
    ):
        with pytest.raises(pm.InvalidArgumentError, match=f"^{name}: is complex; must be real numbers$"):
            call()


def test_refuses_mistakes(tmp_path):
    arrays = model()
    for keywords, kind, message in [
        ({}, pm.InvalidArgumentError, "target: names no file"),
        ({"dry_run": True, "budget": 100}, pm.InvalidArgumentError, "budget"),
        ({"dry_run": True, "budget": "small"}, pm.InvalidArgumentError, "budget: must be a number of bytes"),
        ({"dry_run": True, "scheme": "int9"}, pm.InvalidArgumentError, "scheme"),
        ({"dry_run": True, "layers": {"a,b": "int4"}}, pm.InvalidArgumentError, "neither a comma"),
        (
            {"dry_run": True, "bock_size": 4},
            pm.InvalidArgumentError,
            "bock_size: there is no such keyword; did you mean",
        ),
        ({"dry_run": True, "scheme": 8}, pm.InvalidArgumentError, "scheme: must be a word such as 'int8', not 8"),
        ({"dry_run": True, "layers": {"fc": None}}, pm.InvalidArgumentError, "layers: must be patterns and schemes"),
        ({"dry_run": True, "calibration": 3}, pm.InvalidArgumentError, "calibration: must be a path or a mapping"),
    ]:
        with pytest.raises(kind, match=re.escape(message)):
            quant.compress(arrays, **keywords)
    with pytest.raises(pm.InvalidArgumentError, match="model: must be a path, a PyTorch module, or a mapping"):
        quant.compress([1, 2], dry_run=True)
    with pytest.raises(pm.FileError, match="missing"):
        quant.compress(tmp_path / "missing.safetensors", dry_run=True)
    with pytest.raises(pm.FileError, match=r"has no model\.safetensors"):
        quant.load(tmp_path)
    (tmp_path / "page.safetensors").write_text("<!DOCTYPE html><html></html>")
    with pytest.raises(pm.FormatError, match="web page"):
        quant.load(tmp_path / "page.safetensors")
    with pytest.raises(pm.InvalidArgumentError, match=r"^target: ends in \.gz"):
        quant.compress(arrays, tmp_path / "small.safetensors.gz")
    with pytest.raises(pm.InvalidArgumentError, match="x: must have 64 values in a row"):
        quant.PackedLinear(quant.quantize(arrays["layer.0.fc1.weight"]))(np.ones(63, np.float32))
    for layer in (quant.PackedLinear, quant.PackedEmbedding):
        with pytest.raises(pm.InvalidArgumentError, match=r"weight: must be a QuantizedTensor, .* not ndarray"):
            layer(arrays["embed.weight"])
    with pytest.raises(pm.InvalidArgumentError, match="model: has no tensors"):
        quant.compress({}, dry_run=True)
    with pytest.raises(pm.InvalidArgumentError, match="weight: must be real numbers, not of type complex"):
        quant.quantize(np.ones((64, 64), complex))
    with pytest.raises(pm.InvalidArgumentError, match="weight: cannot become codes"):
        quant.quantize(np.ones((2, 2), np.float32))
