"""Networks that run from their compact files, without LibTorch: texts, pictures and language models.

    import parsimony_ml.run

    session = parsimony_ml.run.load("small.safetensors")
    vectors = session.embed(["A man plays the guitar.", "Someone makes music."])

A session may be used from several threads of Python: calls release the GIL, and take turns. It can be pickled for other
processes, which open the file anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._call import make_call, seed_of
from ._errors import InvalidArgumentError
from ._options import with_options

if TYPE_CHECKING:
    RandomState = int | np.random.Generator | np.random.RandomState | None

__all__ = ["ImageSession", "LanguageSession", "TextSession", "load"]


class _Session:
    """A network with the memory for its activations."""

    _core: Any

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        n_jobs: int | None = None,
        max_memory: int | str | None = None,
        **options: Any,
    ) -> None:
        self._call = make_call(n_jobs, None, max_memory)
        self._core = self._make(os.fspath(model), {name: _plain(value) for name, value in options.items()})
        self._given = (os.path.abspath(model), {"n_jobs": n_jobs, "max_memory": max_memory, **options})

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (type(self), *self._given)

    def _make(self, model: str, options: dict[str, Any]) -> Any:
        raise NotImplementedError

    @property
    def facts(self) -> dict[str, Any]:
        """Facts about the network: "precision", "weight_bytes" (its memory), sizes, names of classes."""
        facts: dict[str, Any] = self._core.facts
        return facts

    def __repr__(self) -> str:
        facts = self.facts
        return f"{type(self).__name__}({facts['precision']}, {facts['weight_bytes'] / 1e6:.1f} MB of weights)"


@with_options("run_texts")
class TextSession(_Session):
    """A BERT or RoBERTa on texts, with the tokenizer beside its weights.

    Args:
        model: A safetensors file, compact or not, with the names of transformers, or a folder with
            model.safetensors.
        n_jobs, max_memory: As for :func:`parsimony_ml.cluster`, for all calls.
        **options: See the table below.

    Texts with more tokens than the network has positions lose their ends.
    """

    def _make(self, model: str, options: dict[str, Any]) -> Any:
        return _core.TextSession(model, options, self._call)

    def embed(self, texts: str | Iterable[str]) -> NDArray[np.float32]:
        """Vectors of the texts, a row each: means of the vectors of their tokens, of length 1 (see the options)."""
        vectors: NDArray[np.float32] = self._core.embed(_texts_of(texts), self._call)
        return vectors

    def scores(self, texts: str | Iterable[str] | Iterable[tuple[str, str]]) -> NDArray[np.float32]:
        """Scores of the classes before the softmax, a row for each text or each pair of texts. The network must have
        a classification head."""
        given = list([texts] if isinstance(texts, str) else texts)
        pairs = [one for one in given if not isinstance(one, str)]
        if pairs and len(pairs) != len(given):
            raise InvalidArgumentError("texts: must be all texts, or all pairs of texts")
        scores: NDArray[np.float32]
        if pairs:
            scores = self._core.pair_scores([_pair_of(pair) for pair in pairs], self._call)
        else:
            scores = self._core.scores(_texts_of(given), self._call)
        return scores

    def similarities(self, pairs: Iterable[tuple[str, str]]) -> NDArray[np.float32]:
        """The cosine of the vectors of each pair."""
        given = [_pair_of(pair) for pair in pairs]
        vectors = self.embed([text for pair in given for text in pair])
        lengths = np.linalg.norm(vectors, axis=1)
        cosines: NDArray[np.float32] = (vectors[::2] * vectors[1::2]).sum(axis=1) / (lengths[::2] * lengths[1::2])
        return cosines

    def hidden_states(self, text: str) -> NDArray[np.float32]:
        """The last hidden states of a text, a row for each token."""
        states: NDArray[np.float32] = self._core.hidden_states(_text_of(text, "text"), self._call)
        return states


@with_options("run_images")
class ImageSession(_Session):
    """An EfficientNet on images.

    Args:
        model: A safetensors file, compact or not, with timm's names, or a folder with model.safetensors.
        n_jobs, max_memory: As for :func:`parsimony_ml.cluster`, for all calls.
        **options: See the table below.
    """

    def _make(self, model: str, options: dict[str, Any]) -> Any:
        return _core.ImageSession(model, options, self._call)

    def logits(self, images: Any) -> NDArray[np.float32]:
        """Logits of the classes, a row for each image.

        Args:
            images: uint8 with colours last, n × height × width × 3 or a single image, which are normalized here as
                the network was trained; or normalized float32 with colours first, n × 3 × height × width. Sides of
                32 to 4096; ``facts["side"]`` is the one that the network was made for.
        """
        array = np.asarray(images)
        if array.dtype == np.uint8:
            facts = self.facts
            if array.ndim == 3:
                array = array[None]
            if array.ndim != 4 or array.shape[-1] != 3:
                raise InvalidArgumentError(f"images: shape {array.shape}; uint8 must be n × height × width × 3")
            mean, deviation = np.float32(facts["mean"]), np.float32(facts["deviation"])
            array = np.moveaxis((array.astype(np.float32) / 255 - mean) / deviation, -1, 1)
        elif array.ndim != 4 or array.dtype.kind != "f":
            raise InvalidArgumentError(
                f"images: {array.dtype} of shape {array.shape}; must be uint8 with colours last, or normalized floats "
                "n × 3 × height × width"
            )
        logits: NDArray[np.float32] = self._core.logits(np.ascontiguousarray(array, dtype=np.float32), self._call)
        return logits


@with_options("run_language")
class LanguageSession(_Session):
    """A language model of ``parsimony train``, with the vocabulary beside its weights.

    Args:
        model: A safetensors file, compact or not.
        n_jobs, max_memory: As for :func:`parsimony_ml.cluster`, for all calls.
        **options: See the table below.
    """

    def _make(self, model: str, options: dict[str, Any]) -> Any:
        return _core.LanguageSession(model, options, self._call)

    def generate(self, text: str, count: int, *, temperature: float = 0.0, random_state: RandomState = 0) -> str:
        """The text and ``count`` more tokens: always the most probable one, or with a temperature one that is drawn."""
        given = {"generate": count, "temperature": temperature, "seed": seed_of(random_state)}
        longer: str = self._core.generate(_text_of(text, "text"), given, self._call)
        return longer

    def tokens_of(self, text: str) -> list[int]:
        """The numbers of the tokens of a text."""
        tokens: list[int] = self._core.tokens_of(_text_of(text, "text"))
        return tokens

    def logits(self, tokens: Sequence[int], *, fresh: bool = True) -> NDArray[np.float32]:
        """Logits of the token that follows. ``fresh=False`` goes on with the tokens of the last call."""
        logits: NDArray[np.float32] = self._core.add(list(tokens), fresh, self._call)
        return logits


_KINDS: dict[str, type[_Session]] = {"encoder": TextSession, "image": ImageSession, "language": LanguageSession}


def load(model: str | os.PathLike[str], **options: Any) -> TextSession | ImageSession | LanguageSession:
    """The session for the network in a file, found from the names of its tensors. The options are those of
    :class:`TextSession`, :class:`ImageSession` or :class:`LanguageSession`."""
    kind = _core.network_kind(os.fspath(model), make_call())
    session: Any = _KINDS[kind](model, **options)
    return session  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _opened(kind: type[_Session], model: str, keywords: dict[str, Any]) -> _Session:
    return kind(model, **keywords)


def _text_of(text: Any, name: str) -> str:
    if not isinstance(text, str):
        raise InvalidArgumentError(f"{name}: is {type(text).__name__}; must be str")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"{name}: cannot be written in UTF-8: {error}") from None
    return text


def _texts_of(texts: str | Iterable[Any]) -> list[str]:
    given = [texts] if isinstance(texts, str) else texts
    return [_text_of(text, f"texts: element {i}") for i, text in enumerate(given)]


def _pair_of(pair: Any) -> tuple[str, str]:
    two = hasattr(pair, "__len__") and not isinstance(pair, str | dict) and len(pair) == 2
    if not two or not all(isinstance(text, str) for text in pair):
        raise InvalidArgumentError(f"pairs: {pair!r}; must be two texts each")
    return (_text_of(pair[0], "pairs: a text"), _text_of(pair[1], "pairs: a text"))
