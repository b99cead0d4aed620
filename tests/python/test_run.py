"""`parsimony_ml.run`: sessions on small networks, beside the command on the same files."""

import json
import math
import pathlib
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import parsimony_ml as pm

safetensors = pytest.importorskip("safetensors.numpy")
run = pytest.importorskip("parsimony_ml.run")
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "models" / "references"))
import efficientnet_tensors  # noqa: E402

TEXTS = ["a man", "b c d e", "zebra"]


def linear(tensors, draws, name, outputs, inputs):
    tensors[f"{name}.weight"] = (draws.standard_normal((outputs, inputs)) / math.sqrt(inputs)).astype("f4")
    tensors[f"{name}.bias"] = draws.standard_normal(outputs).astype("f4") / 10


def norm(tensors, name, width):
    tensors[f"{name}.weight"], tensors[f"{name}.bias"] = np.ones(width, "f4"), np.zeros(width, "f4")


def write_encoder(folder, head):
    draws, width, wide = np.random.default_rng(1), 64, 128
    letters = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *(chr(code) for code in range(97, 123)),
        *(f"##{chr(c)}" for c in range(97, 123)),
    ]
    tensors = {
        f"embeddings.{name}_embeddings.weight": draws.standard_normal((rows, width)).astype("f4")
        for name, rows in {"word": len(letters), "position": 32, "token_type": 2}.items()
    }
    norm(tensors, "embeddings.LayerNorm", width)
    for layer in ("encoder.layer.0.", "encoder.layer.1."):
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            linear(tensors, draws, layer + part, width, width)
        linear(tensors, draws, layer + "intermediate.dense", wide, width)
        linear(tensors, draws, layer + "output.dense", width, wide)
        norm(tensors, layer + "attention.output.LayerNorm", width)
        norm(tensors, layer + "output.LayerNorm", width)
    if head:
        linear(tensors, draws, "pooler.dense", width, width)
        linear(tensors, draws, "classifier", 3, width)
    folder.mkdir()
    safetensors.save_file(tensors, folder / "model.safetensors")
    (folder / "vocab.txt").write_text("\n".join(letters) + "\n")
    sizes = {
        "vocab_size": len(letters), "hidden_size": width, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": wide, "max_position_embeddings": 32, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"} | sizes))
    return folder / "model.safetensors"


def write_language_model(path):
    draws, width, wide = np.random.default_rng(2), 64, 96
    tensors = {"embedding.weight": draws.standard_normal((256, width)).astype("f4")}
    norm(tensors, "norm", width)
    for layer in ("layers.0.", "layers.1."):
        for part in ("query", "key", "value", "output"):
            linear(tensors, draws, f"{layer}attention.{part}", width, width)
        linear(tensors, draws, layer + "feed_forward.0", wide, width)
        linear(tensors, draws, layer + "feed_forward.2", width, wide)
        norm(tensors, layer + "attention_norm", width)
        norm(tensors, layer + "feed_forward_norm", width)
    safetensors.save_file(tensors, path)
    return path


def report(command, *arguments):
    return json.loads(command("run", *arguments, "--json", "-q"))


def test_vectors_are_those_of_the_command(command, tmp_path):
    model = write_encoder(tmp_path / "m", head=False)
    small = tmp_path / "m" / "small.safetensors"
    pm.quant.compress(model, small, scheme="int8")
    session = run.load(small)
    assert isinstance(session, run.TextSession)
    vectors = session.embed(TEXTS)
    assert vectors.shape == (3, 64)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    shown = report(command, small, *(word for text in TEXTS for word in ("--text", text)))
    cosines = [one["similarity"] for one in shown["results"]]
    np.testing.assert_allclose(vectors @ vectors[0], cosines, atol=1e-5)
    np.testing.assert_allclose(session.similarities([(TEXTS[0], TEXTS[1])]), cosines[1], atol=1e-5)
    assert session.hidden_states("a man").shape == (6, 64)
    assert session.facts["weights_in_codes"] > 0
    assert "MB" in repr(session)


def test_a_compact_file_runs_without_its_config(tmp_path):
    model = write_encoder(tmp_path / "m", head=False)
    (tmp_path / "alone").mkdir()
    small = tmp_path / "alone" / "small.safetensors"
    pm.quant.compress(model, small, scheme="int8")
    (tmp_path / "alone" / "vocab.txt").write_bytes((tmp_path / "m" / "vocab.txt").read_bytes())
    vectors = run.load(small).embed(TEXTS)
    np.testing.assert_array_equal(vectors, run.load(small, folder=tmp_path / "m").embed(TEXTS))


def test_threads_of_python_may_share_a_session(tmp_path):
    session = run.load(write_encoder(tmp_path / "m", head=True), n_jobs=2)
    right = session.scores(TEXTS)
    assert right.shape == (3, 3)
    with ThreadPoolExecutor(4) as threads:
        for scores in threads.map(lambda _: session.scores(TEXTS), range(16)):
            np.testing.assert_array_equal(scores, right)
    pairs = session.scores([("a", "b"), ("c d", "e")])
    assert pairs.shape == (2, 3)
    with pytest.raises(pm.InvalidArgumentError, match="all texts, or all pairs"):
        session.scores(["a", ("b", "c")])
    with pytest.raises(pm.InvalidArgumentError, match="element 1: is int"):
        session.embed(["a", 3])


def test_a_session_is_opened_anew_in_another_process(tmp_path, monkeypatch):
    write_encoder(tmp_path / "m", head=False)
    monkeypatch.chdir(tmp_path)
    session = run.load("m", pooling="first")
    pickled = pickle.dumps(session)
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(pickle.loads(pickled).embed(TEXTS), session.embed(TEXTS))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda session: session.embed(["a", "\ud800"]), "texts: element 1: cannot be written in UTF-8"),
        (lambda session: session.hidden_states(["a"]), "text: is list; must be str"),
        (lambda session: session.similarities([1, 2]), "pairs: 1; must be two texts each"),
        (lambda session: session.similarities(["ab"]), "pairs: 'ab'; must be two texts each"),
    ],
)
def test_bad_texts_are_refused(tmp_path, call, message):
    with pytest.raises(pm.InvalidArgumentError, match=message):
        call(run.load(write_encoder(tmp_path / "m", head=False)))


def test_images_are_normalized_as_in_training(tmp_path):
    model = tmp_path / "m.safetensors"
    safetensors.save_file(efficientnet_tensors.tensors(1, 1, True, 10), model)
    session = run.load(model)
    assert isinstance(session, run.ImageSession)
    assert session.facts["variant"] == "lite0"
    image = np.random.default_rng(3).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    logits = session.logits(image)
    assert logits.shape == (1, 10)
    assert np.isfinite(logits).all()
    normalized = ((image.astype("f4") - 127) / 128).transpose(2, 0, 1)[None]
    np.testing.assert_allclose(session.logits(normalized), logits, rtol=1e-3, atol=1e-4)
    with pytest.raises(pm.InvalidArgumentError, match="n × height × width × 3"):
        session.logits(image[..., :2])
    with pytest.raises(pm.InvalidArgumentError, match="must be uint8"):
        session.logits(np.zeros((2, 3)))


def test_a_language_model_goes_on(command, tmp_path):
    model = write_language_model(tmp_path / "m.safetensors")
    session = run.load(model, heads=4)
    assert isinstance(session, run.LanguageSession)
    text = session.generate("ab", 6)
    assert len(text.encode("utf-8", "surrogateescape")) >= 2
    shown = report(command, model, "--heads", 4, "--text", "ab", "--generate", 6)
    assert text == shown["results"][0]["text"]
    tokens = session.tokens_of("abcd")
    assert tokens == [97, 98, 99, 100]
    whole = session.logits(tokens)
    session.logits(tokens[:2])
    np.testing.assert_allclose(session.logits(tokens[2:], fresh=False), whole, rtol=1e-3, atol=1e-4)
    with pytest.raises(pm.InvalidArgumentError, match="heads"):
        run.load(model)


def test_other_files_are_refused(tmp_path):
    safetensors.save_file({"other.weight": np.zeros((2, 2), "f4")}, tmp_path / "m.safetensors")
    with pytest.raises(pm.FormatError, match="tensors of no network"):
        run.load(tmp_path / "m.safetensors")
    with pytest.raises(pm.InvalidArgumentError, match="precison"):
        run.TextSession(write_encoder(tmp_path / "m", head=False), precison="exact")


def test_rows_of_an_array_of_text_are_pairs() -> None:
    from parsimony_ml.run import _pair_of

    assert _pair_of(np.array(["a", "b"])) == ("a", "b")
    for bad in ("ab", {"a": 1, "b": 2}, ["a"]):
        with pytest.raises(pm.InvalidArgumentError, match="two texts"):
            _pair_of(bad)
